import type { Cursor, Scan } from '../store/store.js'
import type { PassContext } from './maintain.js'

/** Before the first job. */
export const start: Cursor = { queue: '', jobId: '00000000-0000-0000-0000-000000000000' }

export interface Step {
  readonly sent: number
  /** Where to go on; `undefined` at the end. */
  readonly next: Cursor | undefined
}

/** Sends again what waits, a step of a walk: the broker ignores what it holds. `undefined`: the broker is away. */
export async function walkOn({ store, dispatcher }: PassContext, scan: Scan): Promise<Step | undefined> {
  const { deliveries, next } = await store.waiting(scan)
  return (await dispatcher.deliver(deliveries)) ? { sent: deliveries.length, next } : undefined
}
