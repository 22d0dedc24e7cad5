import { type Celeriac, celeriac } from 'celeriac'
import { answer, readSettings } from './answer.js'
import type { Committer } from './committer.js'
import { now } from './now.js'
import { openOwnTable } from './own-table.js'
import { optionsFor, type Place } from './place.js'
import { tasks } from './tasks.js'

const place = readSettings<Place>()
const { mark } = tasks.bench
const prisma = await openOwnTable(place.databaseUrl)
let jobs: Celeriac | undefined

/** A web process that enqueues inside its own transaction. */
const operations = {
  async open() {
    jobs = celeriac({ ...optionsFor(place), tasks, migrate: true, logger: 'silent' })
    await jobs.ready()
  },
  async commit(number: number) {
    const sentAt = await prisma.$transaction(async (tx) => {
      await tx.job.create({ data: { name: 'mark', payload: { number } } })
      await mark.enqueue({ number }, { tx })
      return now()
    })
    return { sentAt, committedAt: now() }
  },
  async close() {
    await jobs?.close()
  },
} satisfies Committer

answer(operations)
