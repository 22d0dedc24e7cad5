import { answerWithin } from '../waiting.js'
import type { Health } from './health.js'

/** Why a process cannot do its work: the whole list. */
export const healthCodes = [
  /** It has not reached its servers yet, or the worker does not hold its lease yet. */
  'starting',
  /** It was told to stop. */
  'stopping',
  'store-away',
  'tables-missing',
  'broker-away',
  /** The event loop stands still. */
  'loop-blocked',
  /** The worker cannot say that it lives, so that others may have its jobs by now. */
  'lease-lost',
  /** The worker takes nothing, although jobs wait in a queue that it serves and it has room for them. */
  'takes-no-jobs',
  /** Jobs wait in a queue that no live worker serves. */
  'queue-unserved',
] as const

export type HealthCode = (typeof healthCodes)[number]

export interface HealthReason {
  readonly code: HealthCode
  /** For people. It names no addresses. */
  readonly message: string
}

/** Whether a process can do all of its work now, and if not, why. */
export interface Readiness {
  readonly ready: boolean
  /** Empty when it is ready. */
  readonly reasons: readonly HealthReason[]
}

export interface ReadinessDeps {
  readonly health: () => Promise<Health>
  /** Whether the store answers and lacks its tables. */
  readonly lacksTables: () => Promise<boolean>
  /** Queues with jobs that are due, and that no live worker serves. */
  readonly unservedQueues: () => Promise<readonly string[]>
  /** What the workers of this process say of themselves. */
  readonly ofWorkers: () => readonly HealthReason[] | Promise<readonly HealthReason[]>
  /** Milliseconds of a clock that never goes back. Default: that of the process. */
  readonly now?: () => number
}

/** How long an answer is good for all who ask. */
const freshMs = 1000
/** What is asked of the store beyond a probe costs more, and changes slowly. */
const queuesFreshMs = 2000
const queuesDeadlineMs = 2000

/** Gives a function that never rejects. However many ask, they share the answer of a second. */
export function createReadiness(deps: ReadinessDeps): () => Promise<Readiness> {
  const { now = () => performance.now() } = deps
  let last: Readiness | undefined
  let checking: Promise<Readiness> | undefined
  let checkedAt = Number.NEGATIVE_INFINITY
  let unserved: readonly string[] = []
  let lookedAt = Number.NEGATIVE_INFINITY

  return function readiness() {
    if (checking) return checking
    if (last && now() - checkedAt < freshMs) return Promise.resolve(last)
    checkedAt = now()
    checking = check().finally(() => {
      checking = undefined
    })
    return checking
  }

  async function check(): Promise<Readiness> {
    const health = await deps.health()
    const [ofStore, ofWorkers, ofQueues] = await Promise.all([
      judgeStore(health),
      deps.ofWorkers(),
      judgeQueues(health),
    ])
    const ofBroker = health.broker === 'down' ? [brokerAway] : []
    last = readinessOf([...ofStore, ...ofBroker, ...ofWorkers, ...ofQueues])
    return last
  }

  async function judgeStore({ store }: Health): Promise<readonly HealthReason[]> {
    if (store === 'up') return []
    const lacksTables = await answerWithin(queuesDeadlineMs, deps.lacksTables()).catch(() => false)
    return [lacksTables ? tablesMissing : storeAway]
  }

  /** While nobody can say, what was known last holds no more: that the store is away is reason enough. */
  async function judgeQueues({ store }: Health): Promise<readonly HealthReason[]> {
    if (store === 'down') return []
    if (now() - lookedAt >= queuesFreshMs) {
      lookedAt = now()
      unserved = await answerWithin(queuesDeadlineMs, deps.unservedQueues()).catch(() => unserved)
    }
    return unserved.map(queueUnserved)
  }
}

export function readinessOf(reasons: readonly HealthReason[]): Readiness {
  return Object.freeze({ ready: reasons.length === 0, reasons: Object.freeze(reasons) })
}

/** The same without the reasons that somebody does not care for. */
export function without({ reasons }: Readiness, excluded: readonly HealthCode[]): Readiness {
  return readinessOf(reasons.filter(({ code }) => !excluded.includes(code)))
}

export function isHealthCode(text: string): text is HealthCode {
  return (healthCodes as readonly string[]).includes(text)
}

const storeAway: HealthReason = {
  code: 'store-away',
  message: 'PostgreSQL does not answer, or takes no writes. Jobs can be neither accepted nor read.',
}

const tablesMissing: HealthReason = {
  code: 'tables-missing',
  message: 'The database has no tables of Celeriac, or older ones. Run: npx celeriac migrate',
}

const brokerAway: HealthReason = {
  code: 'broker-away',
  message:
    'The broker does not answer. Jobs are accepted, and start when it is back; those with limits start all the same.',
}

function queueUnserved(queue: string): HealthReason {
  return { code: 'queue-unserved', message: `Jobs wait in queue "${queue}", and no live worker serves it.` }
}
