import { type Celeriac, celeriac } from 'celeriac'
import express from 'express'
import { answer, readSettings } from './answer.js'
import { createCaller } from './caller.js'
import { listen } from './listen.js'
import { now } from './now.js'
import { optionsFor, type Place } from './place.js'
import { openRows } from './rows.js'
import { tasks } from './tasks.js'
import type { Web } from './web.js'
import { wipePlace } from './wipe.js'

const place = readSettings<Place & { readonly keepsAll?: boolean }>()
const { build, mark } = tasks.bench
const atOnce = 5000
const keepAll = { succeeded: false, failed: false, cancelled: false, expired: false, count: false } as const
const rows = await openRows(place.databaseUrl)
let jobs: Celeriac | undefined

/** A web process with Celeriac. */
const operations = {
  async open() {
    jobs = celeriac({
      ...optionsFor(place),
      ...{ tasks, migrate: true, logger: 'silent', authorize: () => true },
      ...(place.keepsAll ? { retain: keepAll } : {}),
    })
    await jobs.ready()
  },

  async serve() {
    const app = express()
    if (!jobs) throw new Error('It is not open.')
    app.use(jobs)
    app.post('/accept', jobs.accept(build))
    return listen(app)
  },

  ...createCaller(async (number) => {
    const job = await mark.enqueue({ number })
    return async () => (await job.status()).state === 'succeeded'
  }),

  /** So many jobs by calls, so many at once. Gives how many a second, and waits until all are in the broker. */
  async enqueue(count: number, inFlight: number) {
    const startedAt = now()
    let left = count
    const caller = async () => {
      for (; left > 0; ) {
        left -= 1
        await build.enqueue({ month: '2026-11' })
      }
    }
    await Promise.all(Array.from({ length: inFlight }, caller))
    const seconds = (now() - startedAt) / 1000
    await rows.untilHandedOver()
    return count / seconds
  },

  /** Puts so many jobs into an empty queue, and leaves when all of them are in the broker. */
  async fill(count: number) {
    await wipePlace(place)
    if (count === 0) return
    await operations.open()
    for (let left = count; left > 0; left -= atOnce) {
      const payloads = Array.from({ length: Math.min(left, atOnce) }, () => ({ month: '2026-11' }))
      await jobs?.enqueueMany(build, payloads)
    }
    await operations.close()
  },

  async close() {
    await jobs?.close()
    jobs = undefined
  },

  ended: (withinMs?: number) => rows.ended(withinMs),

  /** How many jobs have succeeded, with their results. */
  succeeded: () => rows.succeeded(),
} satisfies Web

export type Operations = typeof operations
answer(operations)
