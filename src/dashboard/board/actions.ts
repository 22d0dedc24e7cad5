import type { JobLogLine } from '../../job/event.js'
import type { Job } from '../../job/job.js'
import { isEnd } from '../../job/state.js'
import type { ListedJobs } from '../../store/store.js'
import type { DashboardDeps } from '../dashboard.js'
import type { Readings } from './readings.js'
import { currentVisit } from './visit.js'

/** What people may do on the board. Each goes through the same code as the API of the app. */
export interface Actions {
  list(queue: string, jobs: ListedJobs, limit: number, offset: number): Promise<Job[]>
  find(queue: string, id: string): Promise<Job | undefined>
  /** What its handlers logged, a text for each line. */
  logs(queue: string, id: string): Promise<string[]>
  pause(queue: string): Promise<void>
  resume(queue: string): Promise<void>
  /** @throws {ActionRefused} when it has ended */
  cancel(id: string): Promise<void>
  /** @throws {ActionRefused} when it has not ended, or has succeeded */
  retry(id: string): Promise<void>
  /** Each job of the queue that has failed; those that were cancelled or expired ended as somebody wished. */
  retryFailed(queue: string): Promise<{ retried: number; skipped: number }>
  /** @throws {ActionRefused} when it does not wait for its time */
  promote(id: string): Promise<void>
}

/** Something that cannot be done, with the sentence to show. It does not leave the board. */
export class ActionRefused extends Error {
  override readonly name = 'ActionRefused'
}

/** Where nobody has said who it is. */
const somebody = 'dashboard'
/** Once it is written it holds; workers that are silent are not waited for. */
const deadline = 1000
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const mostLogLines = 5000
/** How long one request waits: a proxy in between gives up after a minute or so. */
const longestMs = 25_000

export function createActions(deps: DashboardDeps, readings: Readings): Actions {
  return {
    async list(queue, jobs, limit, offset) {
      const { store } = await deps.backend()
      return store.listJobs({ queue, jobs, limit, offset })
    },
    find,
    async logs(queue, id) {
      if (!(await find(queue, id))) return []
      return (await deps.logs(id, mostLogLines)).map(toText)
    },
    pause: (queue) =>
      changing(async () => {
        await deps.control.pause(queue, asked())
      }),
    resume: (queue) =>
      changing(async () => {
        await deps.control.resume(queue, asked())
      }),
    cancel: (id) =>
      changing(async () => {
        const { counts } = await deps.bulk.cancel([id], asker())
        if (counts.finished || counts.unknown)
          throw new ActionRefused('This job has ended. It stays in the store until it is pruned.')
      }),
    retry: (id) =>
      changing(async () => {
        const { counts } = await deps.bulk.retry([id], asker())
        if (!counts.retried) throw new ActionRefused(await whyNotRetried(id))
      }),
    retryFailed: (queue) => changing(() => retryFailed(queue)),
    promote: (id) => changing(() => promote(id)),
  }

  async function find(queue: string, id: string): Promise<Job | undefined> {
    const job = uuid.test(id) ? await deps.find(id) : undefined
    return job?.queue === queue ? job : undefined
  }

  /** What was read before a change, or while it was made, does not show it. */
  async function changing<T>(change: () => Promise<T>): Promise<T> {
    try {
      return await change()
    } finally {
      readings.forget()
    }
  }

  async function whyNotRetried(id: string): Promise<string> {
    const job = await deps.find(id)
    if (!job) return 'This job is gone.'
    return isEnd(job.state)
      ? 'This job has succeeded. Enqueue a new one to do it again.'
      : `This job is ${job.state} already.`
  }

  /** What is not through by then goes on. */
  async function retryFailed(queue: string): Promise<{ retried: number; skipped: number }> {
    const { id } = await deps.operations.start('retry', { queue, state: 'failed' }, asker())
    const operation = await deps.operations.ended(id, longestMs)
    return { retried: operation?.affected ?? 0, skipped: 0 }
  }

  async function promote(id: string): Promise<void> {
    const { counts } = await deps.bulk.promote([id], asker())
    if (!counts.promoted) throw new ActionRefused('This job does not wait for its time any more.')
  }
}

function asker() {
  const { visitor, from } = currentVisit()
  return { by: visitor.by ?? somebody, from }
}

function asked() {
  return { ...asker(), deadline }
}

function toText({ at, attempt, level, message, details }: JobLogLine): string {
  const rest = details === undefined ? '' : ` ${JSON.stringify(details)}`
  return `${at} attempt ${attempt} ${level.toUpperCase()} ${message}${rest}`
}
