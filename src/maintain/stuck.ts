import type { Pass, PassContext } from './maintain.js'
import { start, walkOn } from './walk.js'

const atOnce = 1000
const mostPerRound = 100_000

/** Sends again a queue's jobs that were handed over a while ago and still wait, while the broker holds none of them. */
export const stuckPass: Pass = {
  name: 'stuck',
  every: 5,
  isNeeded: ({ work, walks }) => work.open && !walks.some(({ name }) => name === 'repair'),
  async run(context) {
    let sent = 0
    for (const queue of await context.store.stuckQueues()) {
      const { waiting, delayed, taken } = await context.broker.counts(queue)
      if (waiting + delayed + taken === 0) sent += await sendAgain(context, queue)
    }
    return sent
  },
}

async function sendAgain(context: PassContext, queue: string): Promise<number> {
  let sent = 0
  for (let after = { ...start, queue }; sent < mostPerRound; ) {
    const done = await walkOn(context, { after, within: queue, since: null, limit: atOnce })
    sent += done?.sent ?? 0
    if (!done?.next) break
    after = { ...done.next }
  }
  if (sent > 0) context.log.warn(`The broker had lost ${sent} jobs of queue "${queue}"; they are sent again.`)
  return sent
}
