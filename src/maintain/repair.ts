import type { Pass } from './maintain.js'
import { walkOn } from './walk.js'

const atOnce = 1000
/** Well under a round, so that the next one finds where it stands. */
const budgetMs = 2000

/** Sends again what the broker lost. How far it has come stands in the store, so another process may go on. */
export const repairPass: Pass = {
  name: 'repair',
  every: 1,
  isNeeded: ({ walks }) => walks.some(({ name }) => name === 'repair'),
  async run(context, { walks }) {
    const walk = walks.find(({ name }) => name === 'repair')
    if (!walk) return 0
    const { store, log } = context
    const until = performance.now() + budgetMs
    let { cursor } = walk
    let sent = 0
    while (performance.now() < until) {
      const done = await walkOn(context, { after: cursor, since: walk.since, limit: atOnce })
      if (!done) break
      sent += done.sent
      if (!done.next) {
        await store.endWalk('repair')
        break
      }
      cursor = done.next
      await store.saveWalk({ ...walk, cursor })
    }
    if (sent > 0) log.warn(`${sent} jobs that wait were sent to the broker again.`)
    return sent
  },
}
