import type { Walk } from '../store/store.js'
import { jobs } from './count.js'
import type { Pass } from './maintain.js'
import { walkOn } from './walk.js'

const atOnce = 1000

/** Sends again what the broker lost. How far it has come stands in the store, so another process may go on. */
export const repairPass: Pass = {
  name: 'repair',
  every: 1,
  isNeeded: ({ walks }) => walks.some(({ name }) => name === 'repair'),
  async run(context, { walks }) {
    const { store, log, hasTime } = context
    let walk: Walk | undefined = walks.find(({ name }) => name === 'repair')
    let sent = 0
    while (walk && hasTime()) {
      const done = await walkOn(context, { after: walk.cursor, since: walk.since, limit: atOnce })
      if (!done) break
      sent += done.sent
      // Nothing comes back where the walk has ended, or was begun anew by another loss.
      walk = await store.moveWalk(walk, done.next)
    }
    if (sent > 0) log.warn(`${jobs(sent)} that waited went to the broker again.`)
    return sent
  },
}
