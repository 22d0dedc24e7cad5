import type { Broker, Intake, TakenDelivery } from '../broker/broker.js'
import type { Dispatcher } from '../enqueue/dispatch.js'
import { CeleriacError } from '../errors.js'
import type { ClaimedJob, Store } from '../store/store.js'
import { sleep } from '../waiting.js'
import { noQueues, type Served } from './served.js'
import type { Slots } from './slots.js'

export interface IntakesDeps {
  readonly broker: Broker
  readonly store: Store
  readonly dispatcher: Dispatcher
  readonly served: Served
  readonly slots: Pick<Slots<unknown>, 'reserve' | 'release' | 'limit'>
  /** Empty while the worker has no lease; it takes nothing then. */
  readonly workerId: () => string
  readonly knows: (task: string) => boolean
  readonly onClaimed: (queue: string, job: ClaimedJob, workerId: string) => void
  readonly onExpired: (jobId: string) => void
  /** Whether the delivery's job is in this worker, from its claim until its end is recorded. */
  readonly holds: (delivery: TakenDelivery) => boolean
  readonly log: { warn(message: string): void; info(message: string): void }
}

export interface Intakes {
  /** Takes as much as the slots allow now. */
  adjust(): void
  /** Other queues are served, or open, from now on. What was taken of those that have gone is put back. */
  serve(served: Served): void
  stop(): Promise<void>
}

/** A job whose task nobody here knows is offered to other workers again after this time. */
const deferMs = 1000
const storePauseMs = 500

/**
 * From delivery to claimed job, for each queue: reserve → claim → acknowledge.
 *
 * The broker keeps a delivery until the claim is committed, as long as the store may be away.
 */
export function createIntakes(deps: IntakesDeps): Intakes {
  const { broker, store, dispatcher, slots, workerId, log } = deps
  const held = new Set<string>()
  const unknownTasks = new Set<string>()
  let stopping = false
  let limit = 0
  let served: Served = noQueues
  const intakes = new Map<string, Intake>()
  /** Of queues that are no longer served. */
  const leaving = new Set<Promise<void>>()
  serve(deps.served)

  return {
    adjust() {
      const next = stopping ? 0 : slots.limit()
      if (next === limit) return
      limit = next
      setLimits()
    },
    serve,
    async stop() {
      stopping = true
      for (const intake of intakes.values()) intake.setLimit(0)
      await Promise.all([...intakes.values()].map((intake) => intake.close()).concat(...leaving))
    },
  }

  function serve(next: Served): void {
    if (stopping) return
    served = next
    for (const [queue, intake] of intakes) if (!next.queues.includes(queue)) leave(queue, intake)
    for (const queue of next.queues) if (!intakes.has(queue)) intakes.set(queue, take(queue))
    setLimits()
  }

  function take(queue: string): Intake {
    return broker.take(queue, { onDelivery: (delivery) => receive(queue, delivery) })
  }

  function leave(queue: string, intake: Intake): void {
    intakes.delete(queue)
    intake.setLimit(0)
    const left = intake.close().finally(() => leaving.delete(left))
    leaving.add(left)
  }

  function setLimits(): void {
    for (const [queue, intake] of intakes) intake.setLimit(served.isOpen(queue) ? limit : 0)
  }

  async function receive(queue: string, delivery: TakenDelivery): Promise<'done' | 'return'> {
    if (stopping || workerId() === '' || !served.isOpen(queue)) return 'return'
    if (!deps.knows(delivery.task)) return passOn(queue, delivery)
    const key = `${delivery.jobId}.${delivery.number}`
    // It comes twice when the broker thinks this process dead, or when a crash of the store took its claim back. The
    // first one stands, and its end is accepted all the same.
    if (held.has(key) || deps.holds(delivery)) return 'done'
    if (!(await slots.reserve(queue))) return 'return'
    held.add(key)
    try {
      return await claim(queue, delivery)
    } finally {
      held.delete(key)
    }
  }

  async function claim(queue: string, delivery: TakenDelivery): Promise<'done' | 'return'> {
    const claimedBy = workerId()
    const job = await persist(() => store.claim(delivery, claimedBy))
    if (job) {
      deps.onClaimed(queue, job, claimedBy)
      return 'done'
    }
    slots.release()
    return job === undefined ? refuse(queue, delivery, claimedBy) : 'return'
  }

  /** Reads why the row would not be claimed, and does what follows. */
  async function refuse(
    queue: string,
    delivery: TakenDelivery,
    claimedBy: string,
  ): Promise<'done' | 'return'> {
    const refusal = await persist(() => store.explain(delivery))
    switch (refusal?.reason) {
      case 'early':
        dispatcher.send([refusal.redelivery])
        return 'done'
      case 'expired':
        return expire(delivery)
      case 'limited':
        return 'done'
      case 'claimable':
        return 'return'
      case 'stale':
        return releaseOwn(delivery, claimedBy)
      default:
        log.warn(`Queue "${queue}": a delivery is put back, because the worker stops.`)
        return 'return'
    }
  }

  async function expire({ jobId }: TakenDelivery): Promise<'done' | 'return'> {
    const expired = await persist(() => store.expire(jobId))
    if (expired) deps.onExpired(jobId)
    return expired === null ? 'return' : 'done'
  }

  /** A claim whose answer was lost on its way has made the job ours, and nobody knows of it. */
  async function releaseOwn(delivery: TakenDelivery, claimedBy: string): Promise<'done' | 'return'> {
    if (deps.holds(delivery)) return 'done'
    const own = await persist(() => store.giveBack([delivery], claimedBy, 'unstarted'))
    if (own === null) return 'return'
    dispatcher.send(own.map((redelivery) => ({ ...redelivery, ahead: true })))
    return 'done'
  }

  /** The job waits for a worker that knows its task; it is neither lost nor tried in a hot loop. */
  async function passOn(queue: string, delivery: TakenDelivery): Promise<'done' | 'return'> {
    if (!unknownTasks.has(delivery.task)) {
      unknownTasks.add(delivery.task)
      log.warn(
        `Queue "${queue}" has a job of the task "${delivery.task}", which this worker does not know. The job waits for a worker that does. Is this worker's code older than the one that enqueued it, or was the task renamed? (aliases: ["${delivery.task}"] keeps its jobs running)`,
      )
    }
    const redelivery = await persist(() => store.defer(delivery))
    if (redelivery === null) return 'return'
    if (redelivery) dispatcher.send([{ ...redelivery, dueInMs: Math.max(deferMs, redelivery.dueInMs) }])
    return 'done'
  }

  /** Asks the store again while it is away. `null` when the worker stops meanwhile. */
  async function persist<T>(ask: () => Promise<T>): Promise<T | null> {
    for (;;) {
      try {
        return await ask()
      } catch (error) {
        if (stopping) return null
        if (!(error instanceof CeleriacError)) log.warn(`The store refused a delivery: ${String(error)}`)
        await sleep(storePauseMs)
      }
    }
  }
}
