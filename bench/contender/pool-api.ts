import { celeriac } from 'celeriac'
import { answer, readSettings } from './answer.js'
import { now } from './now.js'
import { pause } from './pause.js'
import { optionsFor, type Place } from './place.js'
import * as pools from './pool-tasks.js'

const { place } = readSettings<{ place: Place }>()
const jobs = celeriac({ ...optionsFor(place), tasks: { pools }, migrate: true, logger: 'silent' })
await jobs.ready()

/** A process that enqueues and cancels. */
const operations = {
  /** Milliseconds from the cancel of a job that spins to the start of the one that waits for its slot. */
  async freeSlot(): Promise<number> {
    const spinning = await pools.spin.enqueue()
    for (;;) {
      const { progress, error } = await spinning.status()
      if (progress === 'spins') break
      if (error) throw new Error(error.message)
      await pause(20)
    }
    const waiting = await pools.next.enqueue()
    await pause(200)
    const cancelledAt = now()
    await spinning.cancel()
    return (await waiting.result({ timeout: '60s' })) - cancelledAt
  },
  close: () => jobs.close(),
}

export type Operations = typeof operations
answer(operations)
