import { shellWord } from '../../../../job/shell-word.js'
import type { JobPage, QueuePage } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'

export interface WaitingFor {
  readonly title: string
  readonly text: string
  /** To be typed. */
  readonly command?: string
  /** A page that tells more. */
  readonly link?: { readonly href: string; readonly label: string }
  readonly kind: 'info' | 'warning'
}

type Waiting = Pick<Json<JobPage>, 'waitingFor'> & {
  readonly job: Pick<Json<JobPage>['job'], 'state' | 'task' | 'queue' | 'priority' | 'error' | 'limitKey'>
}

type Limits = Pick<Json<QueuePage>['limits'], 'rateLimit' | 'concurrency'>
type Queue = Pick<Json<QueuePage>, 'isPaused' | 'waiting' | 'running'> & { readonly limits: Limits }

/** Why a job has not started. `undefined`: it does not wait, or its time says it all. */
export function tellWaiting({ job, waitingFor }: Waiting, queue: Queue | undefined): WaitingFor | undefined {
  if (job.state !== 'queued') return undefined
  const link = { href: `/queues/${encodeURIComponent(job.queue)}`, label: `Queue ${job.queue}` }
  if (queue?.isPaused)
    return {
      kind: 'warning',
      title: `The queue "${job.queue}" is paused.`,
      text: 'Nothing in it starts until somebody resumes it.',
      link,
    }
  if (waitingFor === 'worker')
    return {
      kind: 'warning',
      title: `No live worker serves the queue "${job.queue}".`,
      text: 'It starts as soon as one does:',
      command: `npx celeriac worker -Q ${shellWord(job.queue)}`,
    }
  if (!queue) return undefined
  const limit = tellLimit(queue.limits)
  if (job.limitKey !== null)
    return {
      kind: 'info',
      title: 'It waits for its turn.',
      text: limit === undefined ? 'Its task has limits.' : `Its queue has limits: ${limit}.`,
      link: limit === undefined ? taskLink(job.task) : link,
    }
  const before = Math.max(0, queue.waiting - 1)
  return {
    kind: 'info',
    title: 'It waits for a free worker.',
    text: `${before === 0 ? 'No other job waits' : `${before} other ${before === 1 ? 'job waits' : 'jobs wait'}`} in its queue, and ${queue.running} ${queue.running === 1 ? 'runs' : 'run'}.${job.priority > 0 ? ` Its priority is ${job.priority}: smaller ones go first.` : ''}`,
    link,
  }
}

function taskLink(task: string) {
  return { href: `/tasks/${encodeURIComponent(task)}`, label: task }
}

function tellLimit({ rateLimit, concurrency }: Limits): string | undefined {
  const parts = [
    ...(rateLimit === null ? [] : [`at most ${rateLimit}`]),
    ...(concurrency === null ? [] : [`at most ${concurrency} at once`]),
  ]
  return parts.length === 0 ? undefined : parts.join(', ')
}
