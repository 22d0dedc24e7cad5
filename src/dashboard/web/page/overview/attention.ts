import type { ClusterProblem } from '../../../../control/status.js'
import { jobsLink } from '../../ui/jobs-link.js'

type About = Pick<ClusterProblem, 'queue' | 'worker' | 'task' | 'code'>

/** Where one sees more of a problem, and may do something about it. */
export function linksOf({
  code,
  queue,
  worker,
  task,
}: About): { readonly name: string; readonly to: string }[] {
  return [
    ...(queue === undefined ? [] : [{ name: 'The queue', to: `/queues/${encodeURIComponent(queue)}` }]),
    ...(worker === undefined ? [] : [{ name: 'The worker', to: `/workers/${encodeURIComponent(worker)}` }]),
    ...(task === undefined
      ? []
      : [
          {
            name: 'Its failed jobs',
            to: jobsLink({ task: [task], state: ['failed', 'retrying'], range: '1h' }),
          },
          { name: 'The task', to: `/tasks/${encodeURIComponent(task)}` },
        ]),
    ...(code === 'broker-away' ? [{ name: 'Broker and store', to: '/system' }] : []),
  ]
}

/** Text, and among it commands, which are shown as such. */
export interface Part {
  readonly text: string
  readonly isCommand: boolean
}

const command = /npx celeriac\b.*?(?=\. |\.?$)/g

/** A cure may name commands. They end with the sentence; a name in them may have dots. */
export function partsOf(cure: string): Part[] {
  const parts: Part[] = []
  let end = 0
  for (const { 0: text, index } of cure.matchAll(command)) {
    parts.push({ text: cure.slice(end, index), isCommand: false }, { text, isCommand: true })
    end = index + text.length
  }
  return [...parts, { text: cure.slice(end), isCommand: false }].filter(({ text }) => text !== '')
}
