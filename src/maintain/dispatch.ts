import type { Pass } from './maintain.js'

const atOnce = 1000
const mostPerRound = 20_000

/** Sends what no broker is known to hold: what a crash left, what a dead broker refused, what falls due soon. */
export const dispatchPass: Pass = {
  name: 'dispatch',
  async run({ store, dispatcher }) {
    for (let sent = 0; sent < mostPerRound; ) {
      const rows = await store.undispatched(atOnce)
      if (rows.length === 0 || !(await dispatcher.deliver(rows))) return
      await store.markDispatched(rows)
      sent += rows.length
      if (rows.length < atOnce) return
    }
  },
}
