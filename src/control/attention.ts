import type { Span } from '../job/resolution.js'
import type { Tally } from '../job/tally.js'
import type { NamedTally } from '../store/store.js'
import type { ClusterCode, ClusterProblem, ClusterStatus, WorkerStatus } from './status.js'

/** What happened to each task in the last minutes, and in the day before. */
export interface Lately {
  readonly recent: readonly NamedTally[]
  readonly before: readonly NamedTally[]
}

const recentMs = 15 * 60_000
const hourMs = 3_600_000
const beforeMs = 24 * hourMs

/** Of which times {@link Lately} is to be. */
export function latelySpans(now: Date): { readonly recent: Span; readonly before: Span } {
  const began = new Date(now.getTime() - recentMs)
  // Of so long a time whole hours are added up, and none of them may be of these last minutes.
  const ended = Math.floor(began.getTime() / hourMs) * hourMs
  return {
    recent: { from: began, to: now },
    before: { from: new Date(ended - beforeMs), to: new Date(ended) },
  }
}

/** What somebody should see to, the most urgent first: what is wrong with servers, queues and workers, and which tasks began to fail. */
export function toAttention(
  { problems, workers }: Pick<ClusterStatus, 'problems' | 'workers'>,
  lately: Lately,
): ClusterProblem[] {
  const all = [
    ...problems,
    ...workers.filter(({ state }) => state === 'lost').map(workerLost),
    ...failingTasks(lately),
  ]
  return all.sort((one, other) => urgencyOf(one) - urgencyOf(other))
}

/** What keeps most jobs from running comes first. */
const byUrgency: readonly ClusterCode[] = [
  'store-away',
  'tables-missing',
  'broker-away',
  'queue-unserved',
  'worker-silent',
  'loop-blocked',
  'lease-lost',
  'takes-no-jobs',
  'worker-lost',
  'task-failing',
]

function urgencyOf({ code }: ClusterProblem): number {
  const place = byUrgency.indexOf(code)
  return place === -1 ? byUrgency.length : place
}

function workerLost({ name, host, pid }: WorkerStatus): ClusterProblem {
  return {
    code: 'worker-lost',
    worker: name,
    message: `Worker ${name} was lost in the last minutes: it did not renew its lease, and what it ran begins anew elsewhere.`,
    cure: `See in its log, and in that of its machine, why process ${pid} on ${host} went. Often it was killed for its memory, or its machine was.`,
  }
}

const leastFailures = 5
const leastRate = 0.1
/** As much more often than before, or it fails as it always does. */
const leastRise = 3

/** Those that fail now and did not before, the one with the most failures first. */
export function failingTasks({ recent, before }: Lately): ClusterProblem[] {
  const past = new Map(before.map((tally) => [tally.name, tally]))
  return recent
    .filter((tally) => hasBegunToFail(tally, past.get(tally.name)))
    .sort((one, other) => failuresIn(other) - failuresIn(one))
    .map((tally) => taskFailing(tally, past.get(tally.name)))
}

function hasBegunToFail(now: Tally, before: Tally | undefined): boolean {
  const rate = failureRateOf(now)
  return failuresIn(now) >= leastFailures && rate >= leastRate && rate >= leastRise * failureRateOf(before)
}

/** Attempts that failed, whether or not another follows. */
function failuresIn({ failed, retried }: Tally): number {
  return failed + retried
}

function attemptsIn(tally: Tally): number {
  return tally.succeeded + failuresIn(tally)
}

function failureRateOf(tally: Tally | undefined): number {
  const attempts = tally ? attemptsIn(tally) : 0
  return tally && attempts > 0 ? failuresIn(tally) / attempts : 0
}

function taskFailing(now: NamedTally, before: Tally | undefined): ClusterProblem {
  const past =
    before && attemptsIn(before) > 0
      ? `${percent(failureRateOf(before))} in the day before`
      : 'it had not run the day before'
  return {
    code: 'task-failing',
    task: now.name,
    message: `Task ${now.name} began to fail: in the last 15 minutes ${failuresIn(now)} of ${attemptsIn(now)} attempts failed, ${percent(failureRateOf(now))}; ${past}.`,
    cure: `Look at its errors: npx celeriac jobs list --task ${now.name} --state failed,retrying. Was something deployed, or is a service away that it calls? When it is mended, run again what has failed: npx celeriac jobs retry --task ${now.name} --state failed`,
  }
}

function percent(part: number): string {
  const value = part * 100
  return `${value > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} %`
}
