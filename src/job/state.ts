/**
 * Where a job can be.
 *
 * `scheduled` waits for its `runAt`, `queued` for a worker, `retrying` for its next attempt. The last four are ends.
 */
export type JobState =
  | 'scheduled'
  | 'queued'
  | 'running'
  | 'retrying'
  | 'succeeded'
  | 'failed'
  | 'cancelled'
  | 'expired'

export type EndState = 'succeeded' | 'failed' | 'cancelled' | 'expired'

/** The one table of allowed moves. An end has none. */
export const moves: Readonly<Record<JobState, readonly JobState[]>> = {
  scheduled: ['queued', 'running', 'cancelled', 'expired'],
  queued: ['running', 'cancelled', 'expired', 'succeeded', 'failed', 'retrying'],
  running: ['queued', 'retrying', 'succeeded', 'failed', 'cancelled'],
  retrying: ['queued', 'running', 'cancelled', 'expired'],
  succeeded: [],
  failed: [],
  cancelled: [],
  expired: [],
}

export function isEnd(state: JobState): state is EndState {
  return moves[state].length === 0
}
