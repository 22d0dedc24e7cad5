import { PrismaPg } from '@prisma/adapter-pg'
import { Queue, Worker } from 'bullmq'
import express from 'express'
import { Redis } from 'ioredis'
import pg from 'pg'
import { answer, readSettings } from './answer.js'
import { keepBusy } from './keep-busy.js'
import { listen } from './listen.js'

interface Row {
  readonly id: string
  readonly status: string
}

/** What the glue uses of the client that `glue.prisma` becomes. */
interface Client {
  readonly job: {
    create(call: { data: { name: string; payload: object } }): Promise<Row>
    createManyAndReturn(call: { data: { name: string; payload: object }[] }): Promise<Row[]>
    update(call: { where: { id: string }; data: object }): Promise<Row>
  }
}

const { redisUrl, databaseUrl } = readSettings<{ redisUrl: string; databaseUrl: string }>()
const name = 'glue'
const atOnce = 1000

await createTable()
const prisma = await openPrisma()
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

async function openPrisma(): Promise<Client> {
  // It is made when the bench is compiled, so no import can name it.
  const { PrismaClient } = (await import(new URL('glue-client.js', import.meta.url).href)) as {
    PrismaClient: new (options: { adapter: PrismaPg }) => Client
  }
  return new PrismaClient({ adapter: new PrismaPg({ connectionString: databaseUrl }) })
}

async function createTable(): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query(`CREATE TABLE IF NOT EXISTS job (
    id uuid PRIMARY KEY, name text NOT NULL, status text NOT NULL DEFAULT 'queued', payload jsonb NOT NULL,
    result jsonb, error text, created_at timestamp(3) NOT NULL DEFAULT now(), finished_at timestamp(3))`)
  await client.end()
}

export type Operations = typeof operations
answer(operations)
