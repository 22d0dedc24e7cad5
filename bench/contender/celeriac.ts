import { type Celeriac, celeriac, defineTask, type WorkerOptions } from 'celeriac'
import express from 'express'
import { z } from 'zod'
import { answer, readSettings } from './answer.js'
import { createCounter } from './counter.js'
import { keepBusy } from './keep-busy.js'
import { listen } from './listen.js'
import { optionsFor, type Place } from './place.js'
import { openRows } from './rows.js'
import { wipePlace } from './wipe.js'

const place = readSettings<Place>()
const atOnce = 5000
const started = createCounter()
const rows = await openRows(place.databaseUrl)

const build = defineTask({
  payload: z.object({ month: z.string() }),
  run() {
    started.count()
    return { url: '/2026-11.pdf' }
  },
})

/** Its result is when it began, in milliseconds. */
const sleep = defineTask({
  payload: z.object({ ms: z.number() }),
  async run({ ms }) {
    const startedAt = performance.timeOrigin + performance.now()
    started.count()
    await new Promise((resolve) => setTimeout(resolve, ms))
    return startedAt
  },
})

/** Celeriac, by its public API. */
const operations = {
  async serve() {
    const jobs = await open()
    const app = express()
    app.use(jobs)
    app.post('/accept', jobs.accept(build))
    app.post('/by-hand', express.json(), async (req, res) => {
      res.accepted(await build.enqueue(req.body))
    })
    return listen(app)
  },

  /** Waits until every row is known to be in the broker, and gives their number. */
  dispatched: () => rows.dispatched(),

  async enqueue(inFlight: number, seconds: number) {
    await wipePlace(place)
    const jobs = await open()
    const { count, perSecond } = await keepBusy(inFlight, seconds, () => build.enqueue({ month: '2026-11' }))
    const kept = await rows.dispatched()
    await jobs.close()
    if (kept !== count) throw new Error(`${count} jobs were accepted, and the store has ${kept}.`)
    return perSecond
  },

  async drain(jobs: number, concurrency: number) {
    await fill(jobs, (app, count) =>
      app.enqueueMany(
        build,
        Array.from({ length: count }, () => ({ month: '2026-11' })),
      ),
    )
    return work(jobs, concurrency)
  },

  async sleep(jobs: number, concurrency: number, handlerMs: number) {
    await fill(jobs, (app, count) =>
      app.enqueueMany(
        sleep,
        Array.from({ length: count }, () => ({ ms: handlerMs })),
      ),
    )
    const perSecond = await work(jobs, concurrency)
    return { perSecond, ...(await rows.waits()) }
  },
}

async function open(worker?: WorkerOptions): Promise<Celeriac> {
  const jobs = celeriac({
    ...optionsFor(place),
    tasks: { bench: { build, sleep } },
    migrate: true,
    logger: 'silent',
    ...(worker ? { worker } : {}),
  })
  await jobs.ready()
  return jobs
}

/** Puts so many jobs into the queue, and goes when all of them are in the broker. */
async function fill(jobs: number, add: (app: Celeriac, count: number) => Promise<unknown>): Promise<void> {
  await wipePlace(place)
  const app = await open()
  for (let left = jobs; left > 0; left -= atOnce) await add(app, Math.min(left, atOnce))
  await app.close()
}

/** Jobs a second, from the first start to the last stored result. */
async function work(jobs: number, concurrency: number): Promise<number> {
  const done = started.expect(jobs)
  const app = await open({ concurrency })
  const startedAt = await done
  await rows.ended()
  const seconds = (performance.now() - startedAt) / 1000
  await app.close()
  const succeeded = await rows.succeeded()
  if (succeeded !== jobs) throw new Error(`${jobs} jobs were enqueued, and ${succeeded} succeeded.`)
  return jobs / seconds
}

export type Operations = typeof operations
answer(operations)
