import { Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { answer, readSettings } from './answer.js'
import { createLogBook } from './log-book.js'
import { rawQueue } from './raw-queue.js'
import type { Runner } from './runner.js'

const { redisUrl } = readSettings<{ redisUrl: string }>()
const connection = new Redis(redisUrl, { maxRetriesPerRequest: null })
const logBook = createLogBook()
let worker: Worker | undefined

/** A worker process with BullMQ alone. It keeps the last thousand ended jobs, so that somebody may see their end. */
const operations = {
  async work(concurrency: number) {
    logBook.begin()
    worker = new Worker(
      rawQueue,
      async ({ data }: { data: { number?: number } }) => {
        if (data.number === undefined) logBook.ran()
        else logBook.started(data.number)
        return { url: '/2026-11.pdf' }
      },
      { connection, concurrency, removeOnComplete: { count: 1000 } },
    )
    await worker.waitUntilReady()
  },
  startOf: logBook.startOf,
  progress: logBook.progress,
  async stop() {
    await worker?.close()
    worker = undefined
  },
} satisfies Runner

answer(operations)
