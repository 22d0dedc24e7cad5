import type { Broker, Delivery } from '../broker/broker.js'
import type { Committed, Redelivery, Store } from '../store/store.js'
import type { Hold } from './hold.js'

/**
 * Hands deliveries to the broker, in bulk, behind the caller's back.
 *
 * The store knows what is on its way: a delivery that is lost here, because the process dies or the broker is away, is
 * found by the dispatch pass. So nobody waits for it and no error leaves it; trouble is told once an outage.
 */
export interface Dispatcher {
  /** Sends what was written, and clears it from the outbox. */
  sendCommitted(committed: Committed): void
  /** Sends jobs again that were moved to a new delivery. */
  send(deliveries: readonly Dispatchable[]): void
  /** At once, for a pass: `false` when the broker is away. */
  deliver(deliveries: readonly Dispatchable[]): Promise<boolean>
  /** Resolves when all that was sent so far has reached the broker or was refused. */
  settled(): Promise<void>
  close(): Promise<void>
}

export interface Dispatchable extends Redelivery {
  /** Ahead of everything that waits. */
  readonly ahead?: boolean
}

export interface DispatcherDeps {
  readonly broker: Broker
  readonly store: Pick<Store, 'clearOutbox' | 'markDispatched'>
  readonly hold: Hold
  readonly log: { warn(message: string): void; info(message: string): void }
}

/** What is due later stays in the store until a pass finds it due. */
export const horizonMs = 60_000
const bulk = 1000
/** How soon the store is told what the broker has. */
const tellAfterMs = 500
/** A row that a worker claims within this time never needs to be marked. */
const markAfterMs = 1000
/** Short statements: others wait for the same server. */
const markedAtOnce = 200

/** Deliveries that go together. */
interface Parcel {
  readonly deliveries: readonly Dispatchable[]
  /** Of the batch in the outbox; without one, each row is marked. */
  readonly receipt: string | undefined
}

export function createDispatcher({ broker, store, hold, log }: DispatcherDeps): Dispatcher {
  let queue: Parcel[] = []
  let sending: Promise<void> | undefined
  let inTrouble = false
  const arrived: string[] = []
  let unmarked: { readonly deliveries: readonly Dispatchable[]; readonly sentAt: number }[] = []
  const telling = setInterval(() => void tell(performance.now() - markAfterMs), tellAfterMs)
  telling.unref()

  return {
    sendCommitted: ({ receipt, deliveries }) => post({ receipt, deliveries: deliveries.filter(isToBeSent) }),
    send(deliveries) {
      const soon = deliveries.filter(isToBeSent)
      if (soon.length > 0) post({ receipt: undefined, deliveries: soon })
    },
    deliver,
    async settled() {
      await sending
    },
    async close() {
      clearInterval(telling)
      await sending
      await tell(Number.POSITIVE_INFINITY)
    },
  }

  function post(parcel: Parcel): void {
    queue.push(parcel)
    sending ??= hold.during(sendAll())
  }

  async function sendAll(): Promise<void> {
    // Whatever else is committed in this turn of the event loop goes along.
    await new Promise<void>((resolve) => setImmediate(resolve))
    while (queue.length > 0) {
      const parcels = takeParcels()
      if (await deliver(parcels.flatMap((parcel) => parcel.deliveries))) remember(parcels)
      // Each try costs a deadline while the broker is away; the pass tries again with what stands in the store.
      else queue = []
    }
    sending = undefined
  }

  function takeParcels(): Parcel[] {
    let count = 0
    for (let size = 0; count < queue.length && size < bulk; count += 1)
      size += queue[count]?.deliveries.length ?? 0
    return queue.splice(0, count)
  }

  async function deliver(deliveries: readonly Dispatchable[]): Promise<boolean> {
    const sent = deliveries.filter(isNotLimited)
    if (sent.length === 0) return true
    try {
      await broker.dispatch(sent.map(toDelivery))
      if (inTrouble) log.info('The broker takes deliveries again.')
      inTrouble = false
      return true
    } catch (error) {
      if (!inTrouble) log.warn(`Deliveries wait in the store: ${messageOf(error)}`)
      inTrouble = true
      return false
    }
  }

  function remember(parcels: readonly Parcel[]): void {
    const sentAt = performance.now()
    for (const { receipt, deliveries } of parcels) {
      if (receipt === undefined) unmarked.push({ deliveries, sentAt })
      else arrived.push(receipt)
    }
  }

  async function tell(sentBefore: number): Promise<void> {
    const receipts = arrived.splice(0)
    const old = unmarked.filter(({ sentAt }) => sentAt <= sentBefore).flatMap(({ deliveries }) => deliveries)
    unmarked = unmarked.filter(({ sentAt }) => sentAt > sentBefore)
    try {
      if (receipts.length > 0) await store.clearOutbox(receipts)
      for (let from = 0; from < old.length; from += markedAtOnce)
        await store.markDispatched(old.slice(from, from + markedAtOnce))
    } catch {
      // What the store was not told is only sent once more, and the broker ignores what it holds.
    }
  }
}

function isToBeSent({ dueInMs, isLimited }: Dispatchable): boolean {
  return dueInMs <= horizonMs && !isLimited
}

/** Jobs that wait for their turn wait in the store. */
function isNotLimited({ isLimited }: Dispatchable): boolean {
  return !isLimited
}

function toDelivery({ jobId, number, task, queue, priority, dueInMs, ahead }: Dispatchable): Delivery {
  return {
    jobId,
    number,
    task,
    queue,
    ...(priority > 0 ? { priority } : {}),
    // Less than a millisecond is how the row's time was rounded.
    ...(dueInMs >= 1 ? { delayMs: Math.ceil(dueInMs) } : {}),
    ...(ahead ? { ahead } : {}),
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
