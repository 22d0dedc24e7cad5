import { jobs } from './count.js'
import type { Pass } from './maintain.js'

const atOnce = 1000

/** Sends again what the broker should have delivered by now. */
export const overduePass: Pass = {
  name: 'overdue',
  every: 1,
  isNeeded: ({ work }) => work.overdue,
  async run({ store, dispatcher, log, hasTime }) {
    let sent = 0
    while (hasTime()) {
      const rows = await store.overdue(atOnce)
      dispatcher.send(rows)
      sent += rows.length
      if (rows.length < atOnce) break
    }
    if (sent > 0)
      log.info(`${jobs(sent, 'delayed job')} should have started by now, and went to the broker again.`)
    return sent
  },
}
