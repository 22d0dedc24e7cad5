import { validate as isUuid } from 'uuid'
import { tellMs } from '../job/duration.js'
import type { Job } from '../job/job.js'
import { isEnd } from '../job/state.js'
import type { KnownWorker } from '../store/store.js'
import { type CommonFlags, exitCodes, exitWith, note, print, printJson } from './kit.js'
import { withStore } from './open.js'
import { count, tableOr, tellAgo } from './show.js'

/** Jobs that wait for their time, the first ones first. */
export async function tellScheduled(flags: CommonFlags, limit: number): Promise<void> {
  await withStore(flags, async (store) => {
    const queues = await store.knownQueues()
    const lists = await Promise.all(
      queues.map((queue) => store.listJobs({ queue, jobs: 'delayed', limit, offset: 0 })),
    )
    const jobs = lists.flat().sort((one, other) => one.runAt.getTime() - other.runAt.getTime())
    if (flags.json)
      return printJson(
        jobs.map(({ id, task, queue, state, runAt, attempt }) => ({
          id,
          task,
          queue,
          state,
          runAt,
          attempt,
        })),
      )
    const rows = jobs.map(({ id, task, queue, state, runAt }) => [
      id,
      task,
      queue,
      state,
      runAt.toISOString(),
    ])
    print(tableOr(['id', 'task', 'queue', 'state', 'not before'], rows, 'No job waits for its time.'))
    const cut = lists.filter((each) => each.length === limit).length
    if (cut > 0) note(`Of ${count(cut, 'queue')} there may be more: say --limit.`)
  })
}

/** Where each of these jobs is. */
export async function tellWhere(ids: readonly string[], flags: CommonFlags): Promise<void> {
  await withStore(flags, async (store) => {
    const workers = await store.workers()
    const now = workers[0]?.now ?? new Date()
    for (const id of ids) {
      const job = isUuid(id) ? await store.find(id) : undefined
      if (!job) exitWith(exitCodes.unknown)
      const worker = workers.find((each) => each.id === job?.workerId)
      if (flags.json) printJson(job ? factsOf(job, worker) : { id, state: null })
      else
        print(job ? `${id} ${job.task} ${sentence(job, worker, now)}` : `${id} unknown: there is no such job`)
    }
  })
}

function factsOf(job: Job, worker: KnownWorker | undefined) {
  const { id, task, queue, state, attempt, maxAttempts, runAt, createdAt, startedAt, finishedAt } = job
  return {
    ...{ id, task, queue, state, attempt, maxAttempts, runAt, createdAt, startedAt, finishedAt },
    worker: worker
      ? { id: worker.id, name: worker.name, host: worker.host, pid: worker.pid }
      : job.workerId && { id: job.workerId },
    error: job.error && { name: job.error.name, message: job.error.message },
  }
}

function sentence(job: Job, worker: KnownWorker | undefined, now: Date): string {
  const { state, queue, attempt, maxAttempts, runAt, startedAt, finishedAt } = job
  if (isEnd(state))
    return `${state} ${finishedAt ? tellAgo(finishedAt, now) : ''}${tookOf(job)}${errorOf(job)}`
  if (state === 'running') {
    const since = startedAt ? ` since ${tellMs(Math.max(0, now.getTime() - startedAt.getTime()))}` : ''
    const where = worker
      ? `${worker.name} (pid ${worker.pid} on ${worker.host})`
      : 'a worker that is not known any more'
    return `running on ${where}${since}, attempt ${attempt} of ${maxAttempts}`
  }
  const dueInMs = runAt.getTime() - now.getTime()
  if (state === 'queued') return `queued in ${queue} for ${tellMs(Math.max(0, -dueInMs))}`
  return `${state} in ${queue}, ${dueInMs > 0 ? `due in ${tellMs(dueInMs)}` : 'due now'}${errorOf(job)}`
}

function tookOf({ startedAt, finishedAt }: Job): string {
  return startedAt && finishedAt
    ? `, took ${tellMs(Math.max(0, finishedAt.getTime() - startedAt.getTime()))}`
    : ''
}

function errorOf({ error }: Job): string {
  return error ? `: ${error.name}: ${error.message}` : ''
}
