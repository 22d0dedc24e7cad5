import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { answer, readSettings } from './answer.js'
import type { Committer } from './committer.js'
import { now } from './now.js'
import { openOwnTable } from './own-table.js'
import { rawQueue } from './raw-queue.js'

const { redisUrl, databaseUrl } = readSettings<{ redisUrl: string; databaseUrl: string }>()
const queue = new Queue(rawQueue, { connection: new Redis(redisUrl, { maxRetriesPerRequest: null }) })
const prisma = await openOwnTable(databaseUrl)

/** What people write by hand: the commit, and the job after it. A process that dies in between forgets the job. */
const operations = {
  async open() {
    await queue.waitUntilReady()
  },
  async commit(number: number) {
    const sentAt = await prisma.$transaction(async (tx) => {
      await tx.job.create({ data: { name: 'mark', payload: { number } } })
      return now()
    })
    const committedAt = now()
    await queue.add('mark', { number })
    return { sentAt, committedAt }
  },
  async close() {},
} satisfies Committer

answer(operations)
