import { Queue, Worker } from 'bullmq'
import { Redis } from 'ioredis'
import { answer, readSettings } from './answer.js'
import { createTroubled, type Faulty } from './fault.js'

const { redisUrl, queue: name } = readSettings<{ redisUrl: string; queue: string }>()
const connection = new Redis(redisUrl, { maxRetriesPerRequest: null })
const queue = new Queue(name, { connection })
const troubled = createTroubled()

/** BullMQ alone, with its defaults. */
const operations: Faulty = {
  async work() {
    const worker = new Worker(name, (job) => troubled.run(job.data, job.attemptsStarted === 1), {
      connection,
      concurrency: 2,
    })
    worker.on('error', () => {})
    await worker.waitUntilReady()
  },
  async add(payload) {
    return (await queue.add('trouble', payload)).id ?? ''
  },
  async outcome(id) {
    const job = await queue.getJob(id)
    const state = await job?.getState()
    if (state !== 'completed' && state !== 'failed') return undefined
    return job?.failedReason ? `${state}: ${job.failedReason}` : state
  },
  starts: troubled.starts,
  nextStart: troubled.nextStart,
}

answer(operations)
