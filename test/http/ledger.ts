import { randomUUID } from 'node:crypto'
import type { Request } from 'express'
import { currentRequest } from '../../src/enqueue/context.js'
import type { HttpDeps } from '../../src/http/middleware.js'
import type { EnqueueOptions, Job, JobHandle } from '../../src/job/job.js'
import { isEnd } from '../../src/job/state.js'
import { toStatus } from '../../src/job/status.js'
import { type AnyTask, isTask } from '../../src/task/define.js'

/** What the HTTP side asked to be enqueued. */
export interface Asked {
  readonly task: string
  readonly payload: unknown
  readonly options: EnqueueOptions
  readonly req: Request | undefined
}

/** Jobs in memory, for tests of what HTTP reads and writes. The whole path has tests of its own. */
export interface Ledger extends HttpDeps {
  readonly asked: Asked[]
  /** How many requests wait for a job's end. */
  readonly waiting: number
  put(job?: Partial<Job>): Job
  end(id: string, change: Partial<Job>): void
  endAll(change: Partial<Job>): void
  /** What the next enqueue fails with. */
  failWith(error: unknown): void
}

export function createLedger(settings: Partial<HttpDeps> = {}): Ledger {
  const jobs = new Map<string, Job>()
  const asked: Asked[] = []
  const waiters = new Map<string, Set<() => void>>()
  let failure: { readonly error: unknown } | undefined

  function put(change: Partial<Job> = {}): Job {
    const job = { ...blank, id: randomUUID(), ...change }
    jobs.set(job.id, job)
    return job
  }

  function change(id: string, to: Partial<Job>): void {
    const job = jobs.get(id)
    if (!job) return
    jobs.set(id, { ...job, ...to })
    for (const wake of waiters.get(id) ?? []) wake()
  }

  return {
    path: '/jobs',
    publicPath: undefined,
    maxPayload: 1000,
    ownerOf: undefined,
    asked,
    get waiting() {
      return [...waiters.values()].reduce((sum, { size }) => sum + size, 0)
    },
    put,
    end: change,
    endAll(to) {
      for (const id of jobs.keys()) change(id, to)
    },
    failWith(error) {
      failure = { error }
    },
    find: async (id) => jobs.get(id),
    toStatus,
    waitForEnd(id, ms, signal) {
      return new Promise((resolve) => {
        const mine = waiters.get(id) ?? new Set()
        waiters.set(id, mine)
        const wake = () => {
          clearTimeout(timer)
          mine.delete(wake)
          resolve()
        }
        const timer = setTimeout(wake, ms)
        signal.addEventListener('abort', wake)
        mine.add(wake)
      })
    },
    async *events() {},
    showsLogs: true,
    async cancel(id) {
      const job = jobs.get(id)
      if (!job) return 'unknown'
      if (isEnd(job.state)) return 'finished'
      if (job.state === 'running') {
        change(id, { cancelRequestedAt: new Date() })
        return 'cancelling'
      }
      change(id, { state: 'cancelled', finishedAt: new Date() })
      return 'cancelled'
    },
    async enqueue(task, payload, options) {
      const name = nameOf(task)
      asked.push({ task: name, payload, options, req: currentRequest() })
      if (failure) throw failure.error
      return toHandle(put({ task: name, payload }))
    },
    statusOf: ({ id }) => toStatus(jobs.get(id) ?? put({ id })),
    toJson: JSON.stringify,
    health: async () => ({ status: 'ok', store: 'up', broker: 'up' }),
    readiness: async () => ({ ready: true, reasons: [] }),
    ...settings,
  }
}

function nameOf(task: AnyTask | string): string {
  return isTask(task) ? (task.name ?? 'unnamed') : String(task)
}

function toHandle({ id, task }: Job): JobHandle {
  const unused = () => Promise.reject(new Error('not in this test'))
  const questions = { status: unused, result: unused, cancel: unused, logs: unused }
  return { id, task, created: true, ...questions, events: () => unused() as never }
}

const blank: Job = {
  id: '',
  task: 'reports.build',
  queue: 'default',
  state: 'queued',
  payload: null,
  options: {},
  result: undefined,
  resultError: null,
  error: null,
  progress: null,
  priority: 0,
  attempt: 0,
  maxAttempts: 1,
  failures: 0,
  lost: 0,
  delivery: 1,
  workerId: null,
  owner: null,
  tags: [],
  idempotencyKey: null,
  requestId: null,
  traceparent: null,
  context: null,
  parentId: null,
  limitKey: null,
  runAt: new Date(0),
  expiresAt: null,
  createdAt: new Date(0),
  dispatchedAt: null,
  startedAt: null,
  finishedAt: null,
  cancelRequestedAt: null,
  cancelledBy: null,
  cancelReason: null,
  attempts: [],
}
