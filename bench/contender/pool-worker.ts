import { celeriac } from 'celeriac'
import { answer, readSettings } from './answer.js'
import { optionsFor, type Place } from './place.js'

// Not bundled: the pool's children import the tasks without this program.
const pools = (await import(
  new URL('pool-tasks.js', import.meta.url).href
)) as typeof import('./pool-tasks.js')
const { place, pool } = readSettings<{ place: Place; pool: 'thread' | 'process' }>()
const jobs = celeriac({
  ...optionsFor(place),
  tasks: { pools },
  migrate: true,
  logger: 'silent',
  worker: { concurrency: 1, pool },
})
await jobs.ready()

/** A worker process with one slot, whose tasks run in a pool. */
const operations = {
  close: () => jobs.close(),
}

export type Operations = typeof operations
answer(operations)
