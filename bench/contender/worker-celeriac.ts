import { type Celeriac, celeriac } from 'celeriac'
import { answer, readSettings } from './answer.js'
import { optionsFor, type Place } from './place.js'
import type { Runner } from './runner.js'
import { logBook, tasks } from './tasks.js'

const place = readSettings<Place>()
let jobs: Celeriac | undefined

/** A worker process with Celeriac. */
const operations = {
  async work(concurrency: number) {
    logBook.begin()
    jobs = celeriac({
      ...optionsFor(place),
      tasks,
      migrate: true,
      logger: 'silent',
      worker: { concurrency },
    })
    await jobs.ready()
  },
  startOf: logBook.startOf,
  progress: logBook.progress,
  async stop() {
    await jobs?.close()
    jobs = undefined
  },
} satisfies Runner

answer(operations)
