import { workerAdvice } from '../config/advice.js'
import type { Config } from '../config/resolve.js'
import type { KnownWorker } from '../store/store.js'
import { queuesByTask } from '../tasks.js'
import { type Check, fault, ok, warning } from './check.js'

export const tasksServedCheck: Check = {
  id: 'tasks-served',
  title: 'tasks are served',
  judge({ config, tasks, cluster }) {
    if (typeof config === 'string' || typeof tasks !== 'object' || !cluster) return undefined
    const { workers } = cluster
    if (workers.length === 0)
      return warning('No worker runs: what is enqueued waits.', workerAdvice(config, config.queue))
    const queues = queuesByTask(tasks, config)
    const unserved = [...queues].filter(
      ([task, queue]) => !workers.some((worker) => serves(worker, task, queue)),
    )
    const [first] = unserved
    if (!first) return ok(`by ${workers.length} ${workers.length === 1 ? 'worker' : 'workers'}`)
    return toFault(first, unserved.length - 1, workers, config)
  },
}

function serves({ tasks, queues }: KnownWorker, task: string, queue: string): boolean {
  return tasks.includes(task) && queues.includes(queue)
}

function toFault(
  [task, queue]: readonly [string, string],
  more: number,
  workers: readonly KnownWorker[],
  config: Config,
) {
  const others = more === 0 ? '' : ` The same holds for ${more} more.`
  if (workers.some(({ queues }) => queues.includes(queue)))
    return fault(
      `No live worker knows the task "${task}", though queue "${queue}" is served.${others}`,
      'The workers run older code: restart them with this one.',
    )
  return fault(
    `Jobs of the task "${task}" go to queue "${queue}", which no live worker serves.${others}`,
    workerAdvice(config, queue, namesOf(workers)),
  )
}

function namesOf(workers: readonly KnownWorker[]): readonly string[] {
  return workers.map(({ name }) => name)
}

export const queuesServedCheck: Check = {
  id: 'queues-served',
  title: 'queues with work are served',
  judge({ config, cluster }) {
    if (typeof config === 'string' || !cluster) return undefined
    const [first] = cluster.unserved
    if (first === undefined) return ok('no job waits in vain')
    const names = cluster.unserved.map((name) => `"${name}"`).join(', ')
    return fault(
      `Jobs wait in ${names}, which no live worker serves.`,
      workerAdvice(config, first, namesOf(cluster.workers)),
    )
  },
}
