import { tellEnds } from '../telemetry/ends.js'
import { jobs } from './count.js'
import type { Pass } from './maintain.js'

const atOnce = 1000

/** Ends what waited too long to start, where no worker came to find it so. */
export const expiryPass: Pass = {
  name: 'expiry',
  every: 1,
  isNeeded: ({ work }) => work.expired,
  async run({ store, events, log, hasTime }) {
    let expired = 0
    while (hasTime()) {
      const ended = await store.expireOverdue(atOnce)
      expired += ended.length
      await tellEnds({ events, store }, 'expired', ended)
      if (ended.length < atOnce) break
    }
    if (expired > 0) log.info(`${jobs(expired)} could not start in time, and expired.`)
    return expired
  },
}
