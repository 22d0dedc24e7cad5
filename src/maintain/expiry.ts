import type { Pass } from './maintain.js'

const atOnce = 1000
const mostPerRound = 20_000

/** Ends what waited too long to start, where no worker came to find it so. */
export const expiryPass: Pass = {
  name: 'expiry',
  every: 1,
  isNeeded: ({ work }) => work.expired,
  async run({ store, log }) {
    let expired = 0
    while (expired < mostPerRound) {
      const ended = await store.expireOverdue(atOnce)
      expired += ended
      if (ended < atOnce) break
    }
    if (expired > 0) log.info(`${expired} jobs were too late to start, and expired.`)
    return expired
  },
}
