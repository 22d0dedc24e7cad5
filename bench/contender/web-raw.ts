import { Queue } from 'bullmq'
import express from 'express'
import { Redis } from 'ioredis'
import { answer, readSettings } from './answer.js'
import { createCaller } from './caller.js'
import { listen } from './listen.js'
import { pause } from './pause.js'
import { rawQueue } from './raw-queue.js'
import type { Web } from './web.js'

const { redisUrl } = readSettings<{ redisUrl: string }>()
const atOnce = 1000
const lookEveryMs = 10
const connection = new Redis(redisUrl, { maxRetriesPerRequest: null })
const queue = new Queue(rawQueue, { connection })

/** A web process with BullMQ alone. */
const operations = {
  async open() {
    await queue.waitUntilReady()
  },

  serve() {
    const app = express()
    app.post('/accept', express.json(), async (req, res) => {
      res.status(202).json({ id: (await queue.add('build', req.body)).id })
    })
    return listen(app)
  },

  ...createCaller(async (number) => {
    const job = await queue.add('mark', { number })
    return async () => (await job.getState()) === 'completed'
  }),

  /** Puts so many jobs into an empty queue. */
  async fill(count: number) {
    await connection.flushdb()
    for (let left = count; left > 0; left -= atOnce) {
      await queue.addBulk(
        Array.from({ length: Math.min(left, atOnce) }, () => ({ name: 'build', data: { month: '2026-11' } })),
      )
    }
  },

  async ended() {
    while ((await queue.getJobCountByTypes('wait', 'active')) > 0) await pause(lookEveryMs)
  },

  async close() {},
} satisfies Web

answer(operations)
