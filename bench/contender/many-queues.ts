import { type Celeriac, celeriac, defineTask } from 'celeriac'
import { answer, readSettings } from './answer.js'
import { pause } from './pause.js'
import { optionsFor, type Place } from './place.js'
import { openRows } from './rows.js'

const { queues, ...place } = readSettings<Place & { queues: number }>()
const handlerMs = 20
const concurrency = 10
const rows = await openRows(place.databaseUrl)
let jobs: Celeriac | undefined

const tasks = Array.from({ length: queues }, (_, at) =>
  defineTask({
    queue: `queue-${at}`,
    async run(_payload: { at: number }, { progress }) {
      await progress({ percent: 50 })
      await pause(handlerMs)
      return { url: '/2026-11.pdf' }
    },
  }),
)

/** A web process or a worker of an app with many queues. */
const operations = {
  async open(role: 'web' | 'worker') {
    jobs = celeriac({
      ...optionsFor(place),
      tasks: { bench: Object.fromEntries(tasks.map((task, at) => [`task${at}`, task])) },
      migrate: true,
      logger: 'silent',
      ...(role === 'worker' ? { worker: { concurrency } } : {}),
    })
    await jobs.ready()
  },

  /** So many calls at once, over all queues, and as many looks at what became of them. */
  async call(count: number) {
    const calls = Array.from({ length: count }, (_, at) => tasks[at % queues]?.enqueue({ at }))
    const handles = await Promise.all(calls)
    await Promise.all(handles.map((handle) => handle?.status()))
    await rows.untilHandedOver()
  },

  ended: () => rows.ended(),

  async close() {
    await jobs?.close()
    jobs = undefined
  },
}

export type Operations = typeof operations
answer(operations)
