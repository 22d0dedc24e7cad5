import { type EndedJob, toFacts } from '../job/facts.js'
import type { StoredError } from '../job/job.js'
import type { EndState } from '../job/state.js'
import type { Emitter } from './events.js'

export interface EndTellerDeps {
  readonly events: Emitter
  readonly store: { endedJobs(ids: readonly string[]): Promise<readonly EndedJob[]> }
}

/** Payloads may be large. */
const atOnce = 100

/**
 * Tells of jobs that have ended without an attempt in this process: cancelled while they waited, expired, or given up with
 * their workers. Asks the store only where somebody listens, and never rejects: what cannot be read is not told.
 */
export async function tellEnds(
  { events, store }: EndTellerDeps,
  state: Exclude<EndState, 'succeeded'>,
  ids: readonly string[],
  isMeant: (job: EndedJob) => boolean = () => true,
): Promise<void> {
  if (!events.has(`job.${state}`)) return
  for (let at = 0; at < ids.length; at += atOnce) {
    const jobs = await store.endedJobs(ids.slice(at, at + atOnce)).catch(() => [])
    for (const job of jobs) if (job.state === state && isMeant(job)) tellEnd(events, state, job)
  }
}

function tellEnd(events: Emitter, state: Exclude<EndState, 'succeeded'>, ended: EndedJob): void {
  const event = { job: toFacts(ended), attempt: ended.attempt, worker: null, ms: null }
  const particulars = { payload: ended.payload }
  if (state === 'failed') {
    events.emit('job.failed', { ...event, error: errorOf(ended) }, particulars)
  } else if (state === 'cancelled') {
    const { cancelledBy: by, cancelReason: reason } = ended
    events.emit('job.cancelled', { ...event, by, reason }, particulars)
  } else {
    events.emit('job.expired', event, particulars)
  }
}

function errorOf({ error }: EndedJob): StoredError {
  return error === null ? { name: 'Error', message: 'No error was kept.' } : JSON.parse(error)
}
