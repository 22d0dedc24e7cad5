import { toFacts } from '../job/facts.js'
import type { ClaimedJob, DeliveryKey, Redelivery, Store } from '../store/store.js'
import { tellEnds } from '../telemetry/ends.js'
import type { Emitter } from '../telemetry/events.js'
import type { Attempt, End } from './attempt.js'

/** Tells of a worker's attempts, once what came of them is recorded. Where nobody listens it makes nothing. */
export interface Teller {
  started(job: ClaimedJob, workerId: string): void
  settled(settled: SettledAttempt, attempt: Pick<Attempt, 'result'> | undefined): void | Promise<void>
  returned(job: ClaimedJob, workerId: string, ms: number): void
  /** A job that was asked to stop ends where it is given back. These did not come back. */
  gone(keys: readonly DeliveryKey[]): Promise<void>
}

export interface SettledAttempt {
  readonly job: ClaimedJob
  readonly workerId: string
  readonly end: End
  readonly ms: number
  readonly redelivery: Redelivery | undefined
}

export function createTeller(events: Emitter, store: Pick<Store, 'endedJobs'>): Teller {
  return {
    started(job, workerId) {
      if (events.has('job.started'))
        events.emit('job.started', toEvent(job, workerId), { payload: job.payload })
    },
    settled({ job, workerId, end, ms, redelivery }, attempt) {
      switch (end.state) {
        case 'succeeded':
          if (events.has('job.succeeded'))
            // Spelled out: it is made for each job, and a spread costs more than all the rest.
            events.emit(
              'job.succeeded',
              { job: toFacts(job), attempt: job.attempt, worker: workerId, ms },
              { payload: job.payload, result: () => attempt?.result },
            )
          return
        case 'failed':
          if (events.has('job.failed'))
            events.emit(
              'job.failed',
              { ...toEvent(job, workerId), ms, error: end.error },
              { payload: job.payload },
            )
          return
        case 'cancelled':
          return cancelled(job, workerId, ms)
        default:
          // A job that was asked to stop meanwhile is not tried again.
          return redelivery ? again(job, workerId, end, ms, redelivery) : cancelled(job, workerId, ms)
      }
    },
    returned(job, workerId, ms) {
      if (events.has('job.returned'))
        events.emit('job.returned', { ...toEvent(job, workerId), ms }, { payload: job.payload })
    },
    gone(keys) {
      const numbers = new Map(keys.map(({ jobId, number }) => [jobId, number]))
      return tellEnds(
        { events, store },
        'cancelled',
        keys.map(({ jobId }) => jobId),
        ({ id, number, workerId }) => workerId === null && number === (numbers.get(id) ?? 0) + 1,
      )
    },
  }

  function again(
    job: ClaimedJob,
    workerId: string,
    end: Extract<End, { state: 'retrying' | 'snoozed' }>,
    ms: number,
    { dueInMs }: Redelivery,
  ): void {
    if (!events.has(`job.${end.state}`)) return
    const willRetryAt = new Date(Date.now() + Math.max(0, dueInMs))
    const event = { ...toEvent(job, workerId), ms, retryInMs: end.retryInMs, willRetryAt }
    const particulars = { payload: job.payload }
    if (end.state === 'retrying') events.emit('job.retrying', { ...event, error: end.error }, particulars)
    else events.emit('job.snoozed', { ...event, reason: end.reason }, particulars)
  }

  /** Who asked for it, and why, the row knows. */
  async function cancelled(job: ClaimedJob, workerId: string, ms: number): Promise<void> {
    if (!events.has('job.cancelled')) return
    const [row] = await store.endedJobs([job.id]).catch(() => [])
    const event = { ...toEvent(job, workerId), ms }
    events.emit(
      'job.cancelled',
      { ...event, by: row?.cancelledBy ?? null, reason: row?.cancelReason ?? null },
      { payload: job.payload },
    )
  }
}

function toEvent(job: ClaimedJob, workerId: string) {
  return { job: toFacts(job), attempt: job.attempt, worker: workerId }
}
