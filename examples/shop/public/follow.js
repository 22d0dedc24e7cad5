import { ask, Refused } from './ask.js'

const everyMs = 300
const troubledMs = 2000

/** Asks for a job's status until it ends, and shows each. A shop that is away for a while is asked again. */
export async function followJob(url, card) {
  for (;;) {
    try {
      const { body: status } = await ask(url)
      card.show(status)
      if (status.finishedAt !== null) return
      await pause(everyMs)
    } catch (error) {
      card.showTrouble(error.message)
      if (error instanceof Refused && error.status < 500) return
      await pause(troubledMs)
    }
  }
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
