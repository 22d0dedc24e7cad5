import type { Pass } from './maintain.js'

/** After so many there may be more. */
const manyLines = 1000

/** Adds up what was counted: charts and metrics read sums, and no lines pile up. */
export const statsPass: Pass = {
  name: 'stats',
  every: 1,
  isNeeded: ({ work }) => work.moves,
  async run({ store, hasTime }) {
    while ((await store.foldStats()) >= manyLines && hasTime());
    await store.noteOldest()
    // Nothing was wrong.
    return 0
  },
}

/** Forgets what charts do not reach. */
export const statsPrunePass: Pass = {
  name: 'stats-prune',
  every: 200,
  isNeeded: () => true,
  async run({ store, hasTime }) {
    while (hasTime()) if (await store.pruneStats()) return 0
    await store.returnTicket('stats-prune')
    return 0
  },
}
