import type { Redelivery } from '../store/store.js'
import { jobs } from './count.js'
import type { Pass, PassContext } from './maintain.js'

const atOnce = 1000
const fewestBatches = 20
const mostBatches = 500

/** Sends what did not reach the broker: what a crash left, what a dead broker refused, what falls due soon. */
export const dispatchPass: Pass = {
  name: 'dispatch',
  every: 1,
  isNeeded: ({ work }) => work.outbox || work.undispatched,
  async run(context, { work }) {
    const left = work.outbox ? await sendLeft(context) : 0
    return left + (work.undispatched ? await sendUndispatched(context) : 0)
  },
}

/** What was written, and whose writer died or met a broker that was away. */
async function sendLeft(context: PassContext): Promise<number> {
  const { store, log } = context
  let sent = 0
  for (let limit = fewestBatches; context.hasTime(); ) {
    const batches = await store.leftInOutbox(limit)
    const deliveries = batches.flatMap((batch) => batch.deliveries)
    const arrived = await sendInParts(context, deliveries)
    sent += arrived
    if (arrived < deliveries.length) break
    await store.clearOutbox(batches.map(({ receipt }) => receipt))
    if (batches.length < limit) break
    limit = deliveries.length < atOnce ? Math.min(limit * 2, mostBatches) : fewestBatches
  }
  if (sent > 0) log.info(`${jobs(sent)} had not reached the broker, and went there now.`)
  return sent
}

async function sendUndispatched(context: PassContext): Promise<number> {
  let sent = 0
  while (context.hasTime()) {
    const rows = await context.store.undispatched(atOnce)
    const arrived = await sendInParts(context, rows)
    sent += arrived
    if (arrived < rows.length || rows.length < atOnce) break
  }
  return sent
}

/** A call to the broker, and a statement of marks, stay short whatever a batch holds. Gives how many arrived. */
async function sendInParts(
  { dispatcher, store }: PassContext,
  deliveries: readonly Redelivery[],
): Promise<number> {
  for (let at = 0; at < deliveries.length; at += atOnce) {
    const part = deliveries.slice(at, at + atOnce)
    if (!(await dispatcher.deliver(part))) return at
    await store.markDispatched(part)
  }
  return deliveries.length
}
