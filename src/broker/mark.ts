import type { IQueueBackend, JobJson, MinimalJob } from 'bullmq'
import { type BullQueue, isDeliveryGone } from './link.js'

/**
 * The mark is the data of a job that nobody takes: it lives where the deliveries live, and shares their fate. Its queue
 * has no workers, and it is delayed besides, so that it is never among what waits.
 */
const id = 'mark'
/** BullMQ on Redis counts a delayed job's time in steps that a number can hold until the year 2039. */
const delayMs = 5 * 365 * 24 * 60 * 60 * 1000

/** The mark that was written last, if there is one. */
export async function readMark(queue: BullQueue): Promise<string | undefined> {
  const job = await queue.getBackend().getJobData(id)
  if (!job) return undefined
  const { mark } = JSON.parse(job.data) as { mark?: unknown }
  return typeof mark === 'string' ? mark : undefined
}

/** Of two that write at the same time the second may find the first's mark made, and is then as if it had come before. */
export async function writeMark(queue: BullQueue, mark: string): Promise<void> {
  const backend = queue.getBackend()
  if (await isUpdated(backend, mark)) return
  await backend.addJobs([{ job: jobOf(mark), jobId: id }])
}

async function isUpdated(backend: IQueueBackend, mark: string): Promise<boolean> {
  try {
    await backend.updateData({ id } as MinimalJob, { mark })
    return true
  } catch (error) {
    if (isDeliveryGone(error)) return false
    throw error
  }
}

function jobOf(mark: string): JobJson {
  return {
    id,
    name: id,
    data: JSON.stringify({ mark }),
    opts: { delay: delayMs },
    delay: delayMs,
    progress: 0,
    attemptsMade: 0,
    attemptsStarted: 0,
    stalledCounter: 0,
    timestamp: Date.now(),
    failedReason: '',
    returnvalue: '',
  }
}
