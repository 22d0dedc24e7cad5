import { tellEnds } from '../telemetry/ends.js'
import { jobs } from './count.js'
import type { Pass } from './maintain.js'

/** Frees the jobs of workers that died or went silent. */
export const lostPass: Pass = {
  name: 'lost',
  every: 1,
  isNeeded: ({ work }) => work.workers,
  async run({ store, dispatcher, events, maxLost, log }) {
    const { workers, redeliveries, failed, cancelled } = await store.reapLostWorkers(maxLost)
    dispatcher.send(redeliveries.map((redelivery) => ({ ...redelivery, ahead: true })))
    for (const worker of workers) {
      log.warn(`Worker ${worker.name} is lost.`)
      events.emit('worker.lost', { worker })
    }
    if (events.has('job.lost'))
      for (const { jobId: id, task, queue } of redeliveries)
        events.emit('job.lost', { job: { id, task, queue } })
    if (redeliveries.length > 0)
      log.warn(`${jobs(redeliveries.length)} of lost workers went back to the queue.`)
    for (const id of failed) log.warn(`Job ${id} took down ${maxLost} workers, and was given up.`)
    await tellEnds({ events, store }, 'failed', failed)
    await tellEnds({ events, store }, 'cancelled', cancelled)
    return redeliveries.length + failed.length
  },
}
