import type { Pass } from './maintain.js'

const atOnce = 1000
const mostPerRound = 20_000

/** Sends again what the broker should have delivered by now. */
export const overduePass: Pass = {
  name: 'overdue',
  every: 1,
  isNeeded: ({ work }) => work.overdue,
  async run({ store, dispatcher, log }) {
    let sent = 0
    while (sent < mostPerRound) {
      const rows = await store.overdue(atOnce)
      dispatcher.send(rows)
      sent += rows.length
      if (rows.length < atOnce) break
    }
    if (sent > 0) log.info(`${sent} delayed jobs were overdue and are sent again.`)
    return sent
  },
}
