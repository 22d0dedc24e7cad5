import type { Broker, Delivery } from '../broker/broker.js'
import type { DeliveryKey, Redelivery, Store } from '../store/store.js'
import type { Hold } from './hold.js'

/**
 * Hands deliveries to the broker, in bulk, behind the caller's back.
 *
 * The row is the outbox: a delivery that is lost here, because the process dies or the broker is away, is found by the
 * dispatch pass. So nobody waits for it and no error leaves it; trouble is told once an outage.
 */
export interface Dispatcher {
  send(deliveries: readonly Dispatchable[]): void
  /** As `send`, for a pass: `false` when the broker is away. */
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
  readonly store: Store
  readonly hold: Hold
  readonly log: { warn(message: string): void; info(message: string): void }
}

/** What is due later stays in the store until a pass finds it due. */
export const horizonMs = 60_000
const bulk = 1000
/** A row that a worker claims within this time never needs to be marked. */
const markAfterMs = 1000

export function createDispatcher({ broker, store, hold, log }: DispatcherDeps): Dispatcher {
  let queue: Dispatchable[] = []
  let sending: Promise<void> | undefined
  let inTrouble = false
  let unmarked: { readonly keys: readonly DeliveryKey[]; readonly sentAt: number }[] = []
  const marking = setInterval(() => void mark(Date.now() - markAfterMs), markAfterMs / 2)
  marking.unref()

  return {
    send(deliveries) {
      for (const delivery of deliveries) if (delivery.dueInMs <= horizonMs) queue.push(delivery)
      if (queue.length > 0) sending ??= hold.during(sendAll())
    },
    deliver,
    async settled() {
      await sending
    },
    async close() {
      clearInterval(marking)
      await sending
      await mark(Number.POSITIVE_INFINITY)
    },
  }

  async function sendAll(): Promise<void> {
    // Whatever else is enqueued in this turn of the event loop goes along.
    await new Promise<void>((resolve) => setImmediate(resolve))
    while (queue.length > 0) {
      const batch = queue.splice(0, bulk)
      if (await deliver(batch)) unmarked.push({ keys: batch.map(toKey), sentAt: Date.now() })
      // Each try costs a deadline while the broker is away; the pass tries again with what stands in the store.
      else queue = []
    }
    sending = undefined
  }

  async function deliver(deliveries: readonly Dispatchable[]): Promise<boolean> {
    try {
      await broker.dispatch(deliveries.map(toDelivery))
      if (inTrouble) log.info('The broker takes deliveries again.')
      inTrouble = false
      return true
    } catch (error) {
      if (!inTrouble) log.warn(`Deliveries wait in the store: ${messageOf(error)}`)
      inTrouble = true
      return false
    }
  }

  async function mark(before: number): Promise<void> {
    const old = unmarked.filter((sent) => sent.sentAt <= before)
    if (old.length === 0) return
    unmarked = unmarked.filter((sent) => sent.sentAt > before)
    try {
      for (const { keys } of old) await store.markDispatched(keys)
    } catch {
      // An unmarked row is only dispatched once more, and the broker ignores what it holds.
    }
  }
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

function toKey({ jobId, number }: DeliveryKey): DeliveryKey {
  return { jobId, number }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
