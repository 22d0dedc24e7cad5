import type { IQueueBackend, JobJson, MinimalJob } from 'bullmq'
import type { BrokerMark } from './broker.js'
import { type BullQueue, isDeliveryGone, type Link } from './link.js'

/**
 * The mark is the data of a job that nobody takes: it lives where the deliveries live, and shares their fate. Its queue
 * has no workers, and it is delayed besides, so that it is never among what waits. `toBrokerName` gives no user's queue
 * this name.
 */
export const markQueue = '%marks'
const id = 'mark'
/** BullMQ on Redis counts a delayed job's time in steps that a number can hold until the year 2039. */
const delayMs = 5 * 365 * 24 * 60 * 60 * 1000

export async function readMark(link: Link): Promise<BrokerMark> {
  const { data, instance } = await link.peek(markQueue, id)
  return { value: data === undefined ? undefined : markIn(data), instance }
}

/** Of two that write at the same time the second may find the first's mark made, and is then as if it had come before. */
export async function writeMark(queue: BullQueue, mark: string): Promise<'renewed' | 'made'> {
  const backend = queue.getBackend()
  if (await isUpdated(backend, mark)) return 'renewed'
  await backend.addJobs([{ job: jobOf(mark), jobId: id }])
  return 'made'
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

function markIn(data: string): string | undefined {
  const { mark } = JSON.parse(data) as { mark?: unknown }
  return typeof mark === 'string' ? mark : undefined
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
