import type { ClusterCode, ClusterProblem } from '../../../../control/status.js'
import { tellCount } from '../../ui/format.js'
import { jobsLink } from '../../ui/jobs-link.js'

/** What is wrong with many alike, as one thing; `title` is `undefined` where each is told by itself. */
export interface ProblemGroup {
  readonly title: string | undefined
  readonly problems: readonly ClusterProblem[]
}

/** So many alike are each told by themselves. */
const mostAlone = 3

/** One cause may have a hundred effects, and they must not bury what else there is. */
const ofMany: Partial<Record<ClusterCode, (count: string) => string>> = {
  'queue-unserved': (count) => `Jobs wait in ${count} queues, and no live worker serves them.`,
  'worker-silent': (count) => `${count} workers have not renewed their leases.`,
  'worker-lost': (count) => `${count} workers were lost in the last minutes.`,
  'loop-blocked': (count) => `The event loops of ${count} workers stand still: they start nothing.`,
  'task-failing': (count) => `${count} tasks began to fail.`,
}

/** Problems in their order, those that are alike together where the first of them stands. */
export function groupsOf(problems: readonly ClusterProblem[]): ProblemGroup[] {
  const alike = new Map<ClusterCode, ClusterProblem[]>()
  for (const problem of problems) alike.set(problem.code, [...(alike.get(problem.code) ?? []), problem])
  return [...alike].flatMap(([code, group]): ProblemGroup[] => {
    const title = group.length > mostAlone ? ofMany[code]?.(tellCount(group.length)) : undefined
    return title === undefined
      ? group.map((problem) => ({ title, problems: [problem] }))
      : [{ title, problems: group }]
  })
}

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
