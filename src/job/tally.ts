import { addSpread, endOf, isEnqueue, isRequeue, isStart, type Move, noSpread, type Spread } from './move.js'

/** What happened to jobs in some time: what charts and lists with rates are made of. */
export interface Tally {
  /** Jobs that were written. */
  readonly enqueued: number
  /** Jobs that were put back after their end, by hand. */
  readonly requeued: number
  /** Attempts that began. */
  readonly started: number
  readonly succeeded: number
  readonly failed: number
  readonly cancelled: number
  readonly expired: number
  /** Failed attempts that another follows. */
  readonly retried: number
  /** Attempts that were lost with their worker. */
  readonly lost: number
  /** How long jobs had been due when an attempt began. */
  readonly wait: Spread
  /** How long attempts ran. */
  readonly run: Spread
}

/** Jobs that have not ended. As a change: how many more there are. */
export interface OpenJobs {
  readonly queued: number
  /** Scheduled or retrying. */
  readonly delayed: number
  readonly running: number
}

export const noTally: Tally = Object.freeze({
  ...{ enqueued: 0, requeued: 0, started: 0, succeeded: 0, failed: 0, cancelled: 0, expired: 0 },
  ...{ retried: 0, lost: 0, wait: noSpread, run: noSpread },
})

export const noOpenJobs: OpenJobs = Object.freeze({ queued: 0, delayed: 0, running: 0 })

export function addTally(one: Tally, other: Tally): Tally {
  return {
    enqueued: one.enqueued + other.enqueued,
    requeued: one.requeued + other.requeued,
    started: one.started + other.started,
    succeeded: one.succeeded + other.succeeded,
    failed: one.failed + other.failed,
    cancelled: one.cancelled + other.cancelled,
    expired: one.expired + other.expired,
    retried: one.retried + other.retried,
    lost: one.lost + other.lost,
    wait: addSpread(one.wait, other.wait),
    run: addSpread(one.run, other.run),
  }
}

/** What a move counts for. The database counts the same (`store/stat-sql.ts`), and a test holds it to that. */
export function tallyOf(move: Move): Tally {
  const end = endOf(move)
  const count = (isSo: boolean) => (isSo ? move.jobs : 0)
  return {
    enqueued: count(isEnqueue(move)),
    requeued: count(isRequeue(move)),
    started: count(isStart(move)),
    succeeded: count(end === 'succeeded'),
    failed: count(end === 'failed'),
    cancelled: count(end === 'cancelled'),
    expired: count(end === 'expired'),
    retried: count(move.how === 'failed'),
    lost: count(move.how === 'lost'),
    wait: move.is === 'running' ? move.took : noSpread,
    run: move.is === 'running' ? noSpread : move.took,
  }
}

/** How many more, or fewer, jobs are open by a move. */
export function openChangeOf({ was, is, how, jobs }: Move): OpenJobs {
  if (how === 'dropped') return noOpenJobs
  const change = (...states: readonly Move['was'][]) =>
    jobs * (Number(states.includes(is)) - Number(states.includes(was)))
  return { queued: change('queued'), delayed: change('scheduled', 'retrying'), running: change('running') }
}

export function addOpenJobs(one: OpenJobs, other: OpenJobs): OpenJobs {
  return {
    queued: one.queued + other.queued,
    delayed: one.delayed + other.delayed,
    running: one.running + other.running,
  }
}
