import type { Pass } from './maintain.js'

const atOnce = 1000
const mostPerRound = 20_000

/** Sends again what the broker should have delivered by now. */
export const overduePass: Pass = {
  name: 'overdue',
  async run({ store, dispatcher, log }) {
    for (let sent = 0; sent < mostPerRound; sent += atOnce) {
      const rows = await store.overdue(atOnce)
      if (rows.length === 0) return
      log.info(`${rows.length} delayed jobs were overdue and are sent again.`)
      dispatcher.send(rows)
      if (rows.length < atOnce) return
    }
  },
}
