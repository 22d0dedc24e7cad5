import type { Pass, PassContext } from './maintain.js'

const atOnce = 1000
const batchesAtOnce = 20
const mostPerRound = 100_000

/** Sends what did not reach the broker: what a crash left, what a dead broker refused, what falls due soon. */
export const dispatchPass: Pass = {
  name: 'dispatch',
  every: 1,
  isNeeded: ({ work }) => work.outbox || work.undispatched,
  run: async (context, { work }) =>
    (work.outbox ? await sendLeft(context) : 0) + (work.undispatched ? await sendUndispatched(context) : 0),
}

/** What was written, and whose writer died or met a broker that was away. */
async function sendLeft({ store, dispatcher, log }: PassContext): Promise<number> {
  let sent = 0
  while (sent < mostPerRound) {
    const batches = await store.leftInOutbox(batchesAtOnce)
    const deliveries = batches.flatMap((batch) => batch.deliveries)
    if (batches.length === 0 || !(await dispatcher.deliver(deliveries))) break
    await store.markDispatched(deliveries)
    await store.clearOutbox(batches.map(({ receipt }) => receipt))
    sent += deliveries.length
    if (batches.length < batchesAtOnce) break
  }
  if (sent > 0) log.info(`${sent} jobs that had not reached the broker were sent.`)
  return sent
}

async function sendUndispatched({ store, dispatcher }: PassContext): Promise<number> {
  let sent = 0
  while (sent < mostPerRound) {
    const rows = await store.undispatched(atOnce)
    if (rows.length === 0 || !(await dispatcher.deliver(rows))) break
    await store.markDispatched(rows)
    sent += rows.length
    if (rows.length < atOnce) break
  }
  return sent
}
