import { Queue, Worker } from 'bullmq'
import express from 'express'
import { Redis } from 'ioredis'
import { answer, readSettings } from './answer.js'
import { keepBusy } from './keep-busy.js'
import { listen } from './listen.js'
import { openOwnTable, type Row } from './own-table.js'

const { redisUrl, databaseUrl } = readSettings<{ redisUrl: string; databaseUrl: string }>()
const name = 'glue'
const atOnce = 1000

const prisma = await openOwnTable(databaseUrl)
const connection = new Redis(redisUrl, { maxRetriesPerRequest: null })
const queue = new Queue(name, { connection })

/** What people write by hand: a row by Prisma, a job by BullMQ, and a worker that updates the row. */
const operations = {
  serve() {
    const app = express()
    app.use(express.json())
    app.post('/accept', async (req, res) => {
      res.status(202).json(await enqueue(req.body))
    })
    return listen(app)
  },

  async enqueue(inFlight: number, seconds: number) {
    const { perSecond } = await keepBusy(inFlight, seconds, () => enqueue({ month: '2026-11' }))
    await queue.drain()
    return perSecond
  },

  async drain(jobs: number, concurrency: number) {
    await queue.drain()
    await fill(jobs)
    return work(jobs, concurrency)
  },
}

async function enqueue(payload: { month: string }): Promise<Row> {
  const { id, status } = await prisma.job.create({ data: { name: 'build', payload } })
  await queue.add('build', { id, ...payload })
  return { id, status }
}

async function fill(jobs: number): Promise<void> {
  for (let left = jobs; left > 0; left -= atOnce) {
    const payload = { month: '2026-11' }
    const data = Array.from({ length: Math.min(left, atOnce) }, () => ({ name: 'build', payload }))
    const rows = await prisma.job.createManyAndReturn({ data })
    await queue.addBulk(rows.map(({ id }) => ({ name: 'build', data: { id, ...payload } })))
  }
}

/** Jobs a second, from the first start to the last stored result. */
async function work(jobs: number, concurrency: number): Promise<number> {
  let startedAt: number | undefined
  let left = jobs
  let finish: () => void = () => {}
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  const worker = new Worker(
    name,
    async (job) => {
      startedAt ??= performance.now()
      const result = { url: '/2026-11.pdf' }
      await prisma.job.update({
        where: { id: job.data.id },
        data: { status: 'succeeded', result, finishedAt: new Date() },
      })
      return result
    },
    { connection, concurrency, removeOnComplete: { count: 0 } },
  )
  worker.on('completed', () => {
    left -= 1
    if (left === 0) finish()
  })
  await finished
  const seconds = (performance.now() - (startedAt ?? 0)) / 1000
  await worker.close()
  return jobs / seconds
}

export type Operations = typeof operations
answer(operations)
