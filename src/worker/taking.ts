import type { Broker } from '../broker/broker.js'
import type { HealthReason } from '../telemetry/readiness.js'

/** Sees a worker that lives and takes nothing, although jobs wait that it could run. */
export interface TakingWatch {
  /** For the worker: what is handed out through it is seen. */
  readonly broker: Broker
  /** Looks, where a look is due. Never rejects. */
  look(worker: TakingWorker): Promise<readonly HealthReason[]>
}

export interface TakingWorker {
  /** Empty while it has no lease: it takes nothing then, and that is told by others. */
  readonly id: string
  readonly running: number
  readonly reserved: number
  readonly unsettled: number
  readonly processed: number
  readonly concurrency: number
  readonly served: { readonly open: readonly string[] }
}

export interface TakingDeps {
  readonly broker: Broker
  /** Whether jobs wait or run anywhere, as far as is known. Where none does, nobody is asked. */
  readonly hasOpenJobs: () => boolean
  /** How many ends may wait for the store before the worker takes no more. */
  readonly mostUnsettled: number
  /** Where they are full, it takes no more either. */
  readonly hooks?: { readonly isFull: boolean }
  /** Default 8 s. */
  readonly patienceMs?: number
  /** Milliseconds of a clock that never goes back. Default: that of the process. */
  readonly now?: () => number
}

/** A queue costs the broker a question, so it is asked no more often than that. */
const everyMs = 2000
/** A worker looks by itself every 5 s, whatever wake-up was lost. */
const defaultPatienceMs = 8000

/**
 * A worker is at fault when, all that time, deliveries waited in an open queue of its own, it had room for one, and none
 * came. One that hands on what it does not know, or gives back what it cannot start, is busy.
 */
export function watchTaking(deps: TakingDeps): TakingWatch {
  const { broker, patienceMs = defaultPatienceMs, now = () => performance.now() } = deps
  let taken = 0
  let before = ''
  let since: number | undefined
  let queue = ''
  let lookedAt = Number.NEGATIVE_INFINITY

  return {
    broker: {
      ...broker,
      take: (name, taker) =>
        broker.take(name, {
          onDelivery(delivery) {
            taken += 1
            return taker.onDelivery(delivery)
          },
        }),
    },
    async look(worker) {
      if (now() - lookedAt >= everyMs) {
        lookedAt = now()
        await judge(worker)
      }
      return since !== undefined && now() - since >= patienceMs ? [toReason(queue, now() - since)] : []
    },
  }

  async function judge(worker: TakingWorker): Promise<void> {
    const activity = `${worker.id} ${taken} ${worker.processed} ${worker.running}`
    const couldTake = activity === before && worker.id !== '' && hasRoom(worker) && deps.hasOpenJobs()
    before = activity
    const waiting = couldTake ? await firstWaiting(worker.served.open) : undefined
    if (waiting === undefined) since = undefined
    else since ??= now()
    queue = waiting ?? ''
  }

  function hasRoom({ running, reserved, unsettled, concurrency }: TakingWorker): boolean {
    const isFull = unsettled >= deps.mostUnsettled || deps.hooks?.isFull === true
    return running + reserved < concurrency && !isFull
  }

  /** That the broker does not answer is told by others. */
  async function firstWaiting(queues: readonly string[]): Promise<string | undefined> {
    const counts = await Promise.all(
      queues.map((name) =>
        broker.counts(name).then(
          ({ waiting }) => waiting,
          () => 0,
        ),
      ),
    )
    return queues.find((_, at) => (counts[at] ?? 0) > 0)
  }
}

function toReason(queue: string, ms: number): HealthReason {
  return {
    code: 'takes-no-jobs',
    message: `Jobs wait in queue "${queue}" and there is room for them, but nothing was taken for ${Math.round(ms / 1000)} s.`,
  }
}
