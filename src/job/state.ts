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

/**
 * The one table of allowed moves; `test/store/moves.test.ts` holds every statement to it. An end has none: a retry by
 * hand begins the job anew.
 *
 * What waits may end at once where a crash of the store took a claim back: its attempt's end counts all the same.
 */
export const moves: Readonly<Record<JobState, readonly JobState[]>> = {
  scheduled: ['queued', 'running', 'retrying', 'succeeded', 'failed', 'cancelled', 'expired'],
  queued: ['running', 'retrying', 'succeeded', 'failed', 'cancelled', 'expired'],
  running: ['queued', 'retrying', 'succeeded', 'failed', 'cancelled'],
  retrying: ['queued', 'running', 'succeeded', 'failed', 'cancelled', 'expired'],
  succeeded: [],
  failed: [],
  cancelled: [],
  expired: [],
}

export function isEnd(state: JobState): state is EndState {
  return moves[state].length === 0
}
