import type { Pass } from './maintain.js'
import { start } from './walk.js'

/**
 * After a crash of the store: claims of its last moments are taken back, whose deliveries the broker has no more. The
 * workers that live claim again what they run; the jobs of those that died with the store are sent again.
 */
export const restartPass: Pass = {
  name: 'restart',
  every: 1,
  isNeeded: ({ work }) => work.restarted,
  async run({ store, log }) {
    log.info('The store was started anew. What waits is sent to the broker again, in case.')
    await store.beginWalk({ name: 'repair', since: null, cursor: start })
    await store.rememberRestart()
    return 0
  },
}
