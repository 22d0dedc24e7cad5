import { jobs } from './count.js'
import type { Pass, PassContext } from './maintain.js'
import { start, walkOn } from './walk.js'

const atOnce = 1000

/** Sends again a queue's jobs that were handed over a while ago and still wait, while the broker holds none of them. */
export const stuckPass: Pass = {
  name: 'stuck',
  every: 3,
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

/** More than a few are left to a walk: the broker soon holds some of them, and nobody would look for the rest. */
async function sendAgain(context: PassContext, queue: string): Promise<number> {
  const { store, log } = context
  const done = await walkOn(context, {
    after: { ...start, queue },
    within: queue,
    since: null,
    limit: atOnce,
  })
  if (!done) return 0
  if (done.next) await store.beginWalk({ name: 'repair', since: null, cursor: done.next })
  if (done.sent > 0) {
    const rest = done.next ? ', and the rest follows' : ''
    log.warn(`The broker had lost the jobs of queue "${queue}"; ${jobs(done.sent)} went there again${rest}.`)
  }
  return done.sent
}
