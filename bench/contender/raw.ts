import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { answer, readSettings } from './answer.js'
import { keepBusy } from './keep-busy.js'

const { redisUrl } = readSettings<{ redisUrl: string }>()
const name = 'raw'
const atOnce = 1000

const connection = new Redis(redisUrl, { maxRetriesPerRequest: null })
const queue = new Queue(name, { connection })

/** BullMQ alone. It stores nothing. */
const operations = {
  async enqueue(inFlight: number, seconds: number) {
    const { perSecond } = await keepBusy(inFlight, seconds, () => queue.add('build', { month: '2026-11' }))
    await queue.drain()
    return perSecond
  },

  async drain(jobs: number, concurrency: number) {
    await fill(jobs)
    return work(jobs, concurrency, async () => ({ url: '/2026-11.pdf' }))
  },

  async sleep(jobs: number, concurrency: number, handlerMs: number) {
    await fill(jobs)
    return work(jobs, concurrency, () => new Promise((resolve) => setTimeout(resolve, handlerMs)))
  },
}

async function fill(jobs: number): Promise<void> {
  for (let left = jobs; left > 0; left -= atOnce) {
    await queue.addBulk(
      Array.from({ length: Math.min(left, atOnce) }, () => ({ name: 'build', data: { month: '2026-11' } })),
    )
  }
}

/** Jobs a second, from the first start to the last completion. */
async function work(jobs: number, concurrency: number, handle: () => Promise<unknown>): Promise<number> {
  let startedAt: number | undefined
  let left = jobs
  let finish: () => void = () => {}
  const finished = new Promise<void>((resolve) => {
    finish = resolve
  })
  const worker = new Worker(
    name,
    async () => {
      startedAt ??= performance.now()
      return handle()
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
