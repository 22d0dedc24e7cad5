import { jobs } from './count.js'
import type { Pass } from './maintain.js'

/** Frees the jobs of workers that died or went silent. */
export const lostPass: Pass = {
  name: 'lost',
  every: 1,
  isNeeded: ({ work }) => work.workers,
  async run({ store, dispatcher, maxLost, log }) {
    const { workers, redeliveries, failed } = await store.reapLostWorkers(maxLost)
    dispatcher.send(redeliveries.map((redelivery) => ({ ...redelivery, ahead: true })))
    for (const { name } of workers) log.warn(`Worker ${name} is lost.`)
    if (redeliveries.length > 0)
      log.warn(`${jobs(redeliveries.length)} of lost workers went back to the queue.`)
    for (const id of failed) log.warn(`Job ${id} took down ${maxLost} workers, and was given up.`)
    return redeliveries.length + failed.length
  },
}
