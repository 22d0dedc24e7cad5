import type { JobJson, JobType } from 'bullmq'
import { BrokerUnavailableError, ClosedError } from '../errors.js'
import { answerWithin } from '../waiting.js'
import type { Broker, Delivery, DeliveryCounts } from './broker.js'
import { createIntake } from './intake.js'
import type { BullQueue, Link, WorkerSettings } from './link.js'
import { markQueue, readMark, writeMark } from './mark.js'
import { messageOf } from './outage.js'

export interface BullSettings {
  /** How long a call waits for the server. */
  readonly deadlineMs: number
  /** A delivery whose taker went silent, or never heard of it, is free again after twice this time. Default 10 s. */
  readonly lockMs?: number
}

/** BullMQ refuses larger ones. */
const lowestPriority = 2_097_151
/** A larger addition would make everybody else wait for the server. */
const bulk = 1000
const closeMs = 5000

/** The broker over BullMQ, whatever server it runs on. */
export function createBullBroker(link: Link, settings: BullSettings): Broker {
  const queues = new Map<string, BullQueue>()
  let marks: BullQueue | undefined
  let closing: Promise<void> | undefined

  return {
    kind: link.kind,
    address: link.address,
    dispatch: (deliveries) => call(() => addAll(deliveries)),
    take: (queue, taker) =>
      createIntake({
        queue,
        taker,
        outage: link.outage,
        putBack: link.putBack,
        open: async (process) => {
          await link.reached
          return link.openWorker(toBrokerName(queue), process, workerSettings(settings.lockMs ?? 10_000))
        },
      }),
    counts: (queue) => call(() => count(queueOf(queue))),
    ping: () => call(() => link.ping()),
    facts: () => call(() => link.facts()),
    readMark: () => call(() => readMark(link)),
    writeMark: (value) => call(() => writeMark(openMarks(), value)),
    close() {
      closing ??= closeAll()
      return closing
    },
  }

  /** Every question to the server: bounded in time, and with one kind of error. */
  async function call<T>(ask: () => Promise<T>): Promise<T> {
    if (closing) throw new ClosedError('The broker has been closed.')
    try {
      const answer = await answerWithin(settings.deadlineMs, link.reach().then(ask))
      link.outage.answered()
      return answer
    } catch (error) {
      throw toBrokerError(error, link.address)
    }
  }

  async function addAll(deliveries: readonly Delivery[]): Promise<void> {
    await Promise.all(
      [...groupByQueue(deliveries)].map(([queue, group]) => addInParts(queueOf(queue), group)),
    )
  }

  function queueOf(name: string): BullQueue {
    let queue = queues.get(name)
    if (!queue) {
      queue = link.openQueue(toBrokerName(name))
      queues.set(name, queue)
    }
    return queue
  }

  function openMarks(): BullQueue {
    marks ??= link.openQueue(markQueue)
    return marks
  }

  async function closeAll(): Promise<void> {
    link.outage.silence()
    const opened = marks ? [...queues.values(), marks] : [...queues.values()]
    const ends = Promise.allSettled(opened.map((queue) => queue.close()))
    await answerWithin(closeMs, ends).catch(() => undefined)
    await answerWithin(closeMs, link.close()).catch(() => undefined)
  }
}

function workerSettings(lockMs: number): WorkerSettings {
  return {
    autorun: false,
    lockDuration: lockMs,
    stalledInterval: lockMs,
    // A delivery that comes again is harmless, one that BullMQ fails for having stalled is lost.
    maxStalledCount: 1_000_000,
    runRetryDelay: 500,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  }
}

function groupByQueue(deliveries: readonly Delivery[]): Map<string, Delivery[]> {
  const groups = new Map<string, Delivery[]>()
  for (const delivery of deliveries) {
    const group = groups.get(delivery.queue)
    if (group) group.push(delivery)
    else groups.set(delivery.queue, [delivery])
  }
  return groups
}

async function addInParts(queue: BullQueue, deliveries: readonly Delivery[]): Promise<void> {
  // The backend's own addition: `addBulk` builds an object with two timestamps and a closure for each job first.
  const backend = queue.getBackend()
  const timestamp = Date.now()
  for (let start = 0; start < deliveries.length; start += bulk)
    await backend.addJobs(deliveries.slice(start, start + bulk).map((each) => toEntry(each, timestamp)))
}

function toEntry(delivery: Delivery, timestamp: number): { job: JobJson; jobId: string } {
  const jobId = `${delivery.jobId}.${delivery.number}`
  const opts = toJobOptions(delivery)
  const job: JobJson = {
    id: jobId,
    name: delivery.task,
    data: '{}',
    opts,
    progress: 0,
    attemptsMade: 0,
    attemptsStarted: 0,
    stalledCounter: 0,
    timestamp,
    failedReason: '',
    returnvalue: '',
  }
  if (opts.priority !== undefined) job.priority = opts.priority
  if (opts.delay !== undefined) job.delay = opts.delay
  return { job, jobId }
}

function toJobOptions({ priority = 0, delayMs = 0, ahead }: Delivery): JobJson['opts'] {
  const opts: JobJson['opts'] = {}
  if (delayMs > 0) opts.delay = Math.ceil(delayMs)
  // What has a priority waits behind all that has none, so what goes ahead has none.
  if (ahead) opts.lifo = true
  else if (priority > 0) opts.priority = Math.min(Math.ceil(priority), lowestPriority)
  return opts
}

const counted: JobType[] = ['wait', 'prioritized', 'delayed', 'active']

async function count(queue: BullQueue): Promise<DeliveryCounts> {
  const [wait = 0, prioritized = 0, delayed = 0, active = 0] = await queue.getBackend().getCounts(counted)
  return { waiting: wait + prioritized, delayed, taken: active }
}

/** BullMQ and Redis give a meaning to some characters; each of these becomes `%` and its number in hexadecimal. */
function toBrokerName(queue: string): string {
  return queue.replace(
    /[%:{}\p{Cc}\p{Cs}]/gu,
    (character) => `%${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  )
}

/** ioredis hangs the command on its errors, and that of a log-in holds the password. */
function withoutCommand(error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error))
  if (!('command' in error)) return error
  const plain = new Error(error.message)
  plain.name = error.name
  return plain
}

function toBrokerError(error: unknown, address: string): Error {
  if (error instanceof BrokerUnavailableError) return error
  const cause = withoutCommand(error)
  return new BrokerUnavailableError(
    `The broker at ${address} cannot be used now: ${messageOf(cause)}. Check that the server runs, and its address. Jobs that were accepted are safe, and go to the broker when it is back.`,
    { cause },
  )
}
