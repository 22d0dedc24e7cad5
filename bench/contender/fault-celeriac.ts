import { type Celeriac, celeriac, defineTask } from 'celeriac'
import { answer, readSettings } from './answer.js'
import { createTroubled, type Faulty, type Trouble } from './fault.js'
import { optionsFor, type Place } from './place.js'

const { queue, ...place } = readSettings<Place & { queue: string }>()
const troubled = createTroubled()
const task = defineTask((trouble: Trouble, { attempt }) => troubled.run(trouble, attempt === 1))
let jobs: Celeriac | undefined

/** Celeriac with its default lease. */
const operations: Faulty = {
  async work() {
    jobs = celeriac({ ...options(), worker: { concurrency: 2, queues: [queue] } })
    await jobs.ready()
  },
  async add(payload) {
    jobs ??= celeriac(options())
    return (await task.enqueue(payload, { queue })).id
  },
  async outcome(id) {
    const { state, attempt } = (await jobs?.job(id).status()) ?? {}
    return state === 'queued' || state === 'running' ? undefined : `${state}, attempt ${attempt}`
  },
  starts: troubled.starts,
  nextStart: troubled.nextStart,
}

function options() {
  return {
    ...optionsFor(place),
    tasks: { bench: { task } },
    migrate: true,
    logger: 'silent',
  } as const
}

answer(operations)
