import { type Celeriac, celeriac, defineTask } from 'celeriac'
import { answer, readSettings } from './answer.js'
import { now } from './now.js'
import { optionsFor, type Place } from './place.js'
import { wipePlace } from './wipe.js'

const place = readSettings<Place>()
const atOnce = 5000
const starts: number[] = []
const free = { ran: 0, firstAt: 0, lastAt: 0 }
let jobs: Celeriac | undefined

const paced = defineTask({
  rateLimit: '100/s',
  run: () => void starts.push(now()),
})

const plain = defineTask(() => {
  free.lastAt = now()
  if (free.ran === 0) free.firstAt = free.lastAt
  free.ran += 1
  return { url: '/2026-11.pdf' }
})

const options = {
  ...optionsFor(place),
  tasks: { bench: { paced, plain } },
  migrate: true,
  logger: 'silent',
  deadline: '30s',
} as const

/** A web process or a worker of an app that has a task with a rate, and one without. */
const operations = {
  /** Puts so many jobs of each into empty queues. */
  async fill(pacedJobs: number, plainJobs: number) {
    await wipePlace(place)
    const app = celeriac(options)
    await app.ready()
    for (const [task, count] of [
      [plain, plainJobs],
      [paced, pacedJobs],
    ] as const)
      for (let left = count; left > 0; left -= atOnce)
        await app.enqueueMany(task, Array(Math.min(left, atOnce)).fill(undefined))
    await app.close()
  },
  async work(concurrency: number) {
    starts.length = 0
    Object.assign(free, { ran: 0, firstAt: 0, lastAt: 0 })
    jobs = celeriac({ ...options, worker: { concurrency } })
    await jobs.ready()
  },
  /** When jobs with a rate started, by this process's own clock. */
  starts: async () => starts,
  plain: async () => free,
  async stop() {
    await jobs?.close()
    jobs = undefined
  },
}

export type Operations = typeof operations
answer(operations)
