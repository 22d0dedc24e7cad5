import { ask, Refused } from './ask.js'

const everyMs = 300
const troubledMs = 2000

/** A browser opens six connections to a host, and the page has other requests to send. */
const mostStreams = 3
let streams = 0

/** Shows a job until it ends: by its events, else by asking again and again. A shop that is away is asked later. */
export async function followJob(url, card) {
  for (;;) {
    try {
      const { body: status } = await ask(url)
      card.show(status)
      if (status.finishedAt !== null) return
      if (streams < mostStreams && (await showEvents(status, card))) return
      await pause(everyMs)
    } catch (error) {
      card.showTrouble(error.message)
      if (error instanceof Refused && error.status < 500) return
      await pause(troubledMs)
    }
  }
}

/** Gives `true` when the job has ended, `false` when the stream breaks. */
function showEvents(status, card) {
  streams += 1
  const events = new EventSource(status.links.events)
  return new Promise((resolve) => {
    let shown = status
    const show = (change) => {
      shown = { ...shown, ...change }
      card.show(shown)
    }
    events.addEventListener('progress', ({ data }) => show({ progress: JSON.parse(data).progress }))
    events.addEventListener('state', ({ data }) => {
      shown = {}
      show(JSON.parse(data))
      if (shown.finishedAt !== null) resolve(true)
    })
    events.addEventListener('error', () => resolve(false))
  }).finally(() => {
    streams -= 1
    events.close()
  })
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
