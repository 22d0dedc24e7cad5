import { type Job, WaitingError } from 'bullmq'
import { sleep, within } from '../waiting.js'
import type { Intake, TakenDelivery, Taker } from './broker.js'
import { type BullWorker, isDeliveryGone, type Process } from './link.js'
import type { Outage } from './outage.js'

export interface IntakeDeps {
  readonly queue: string
  readonly taker: Taker
  readonly outage: Outage
  readonly putBack: (job: Job, token: string) => Promise<void>
  /** Opens the BullMQ worker, once the server has been reached. */
  readonly open: (process: Process) => Promise<BullWorker>
}

/** Pausing costs a stall check at the next resume, so a short 0 is bridged by holding what comes. */
const pauseAfterMs = 250
/** BullMQ looks for more work when a delivery is answered, and not when its concurrency grows. */
const nudgeAfterMs = 100
/** What was given back may come again at once. */
const restMs = 100
const putBackTries = 10
const putBackEveryMs = 250
const closeMs = 5000
/** BullMQ waits for a connection that is lost to end. */
const closeInOutageMs = 250

/** One queue's deliveries, by a BullMQ worker whose job is done with the taker's answer. */
export function createIntake({ queue, taker, outage, putBack, open }: IntakeDeps): Intake {
  let worker: BullWorker | undefined
  let limit = 0
  let held = 0
  let running: 'no' | 'yes' | 'paused' = 'no'
  let waiting: ((entered: boolean) => void)[] = []
  let pauseTimer: NodeJS.Timeout | undefined
  let nudgeTimer: NodeJS.Timeout | undefined
  let closing: Promise<void> | undefined
  let onEmpty: (() => void) | undefined

  open(process).then(begin, (error: Error) => outage.began(error))

  return {
    queue,
    setLimit(next) {
      if (next === limit || closing) return
      const grown = next > limit && held >= limit
      limit = next
      if (limit > 0) allow(grown)
      else pauseTimer ??= setTimeout(pause, pauseAfterMs)
    },
    close() {
      closing ??= shut()
      return closing
    },
  }

  function begin(opened: BullWorker): void {
    if (closing) return void opened.close().catch(() => undefined)
    worker = opened
    if (limit > 0) allow(false)
  }

  function allow(grown: boolean): void {
    clearTimeout(pauseTimer)
    pauseTimer = undefined
    if (worker) worker.concurrency = limit
    letIn()
    if (running !== 'yes') start()
    else if (grown && limit > 1) nudgeTimer ??= setTimeout(nudge, nudgeAfterMs, held)
  }

  function start(): void {
    if (!worker) return
    const wasPaused = running === 'paused'
    running = 'yes'
    const started = wasPaused ? worker.resume() : worker.run()
    started.catch((error: Error) => outage.began(error))
  }

  function pause(): void {
    pauseTimer = undefined
    if (!worker || running !== 'yes') return
    running = 'paused'
    worker.pause(true).catch((error: Error) => outage.began(error))
  }

  function nudge(heldThen: number): void {
    nudgeTimer = undefined
    if (running !== 'yes' || held < heldThen || held >= limit || closing) return
    pause()
    start()
  }

  async function process(job: Job, token = ''): Promise<void> {
    outage.answered()
    const delivery = toTaken(job)
    const answer = delivery ? await answerTo(delivery) : 'done'
    if (answer === 'return') await giveBack(job, token)
  }

  async function answerTo(delivery: TakenDelivery): Promise<'done' | 'return'> {
    if (!tryEnter() && !(await enterSoon())) return 'return'
    try {
      return await taker.onDelivery(delivery)
    } catch {
      return 'return'
    } finally {
      leave()
    }
  }

  function tryEnter(): boolean {
    if (closing || held >= limit) return false
    held += 1
    return true
  }

  /** Waits for a place. Another worker may have one sooner, so it does not wait long. */
  function enterSoon(): Promise<boolean> {
    if (closing) return Promise.resolve(false)
    return new Promise((resolve) => {
      const settle = (entered: boolean) => {
        clearTimeout(timer)
        resolve(entered)
      }
      const timer = setTimeout(() => {
        waiting = waiting.filter((each) => each !== settle)
        resolve(false)
      }, pauseAfterMs)
      waiting.push(settle)
    })
  }

  function letIn(): void {
    while (waiting.length > 0 && tryEnter()) waiting.shift()?.(true)
  }

  function leave(): void {
    held -= 1
    if (waiting.length > 0) letIn()
    if (held === 0) onEmpty?.()
  }

  async function giveBack(job: Job, token: string): Promise<never> {
    await putBackSurely(job, token)
    if (!closing) await sleep(restMs)
    throw new WaitingError()
  }

  /** Any other error than `WaitingError` would make BullMQ drop the delivery, so none leaves here. */
  async function putBackSurely(job: Job, token: string): Promise<void> {
    for (let tries = 1; tries <= putBackTries; tries += 1) {
      try {
        await putBack(job, token)
        return
      } catch (error) {
        if (isDeliveryGone(error)) return
        await sleep(putBackEveryMs)
      }
    }
    // The stall check frees it.
  }

  async function shut(): Promise<void> {
    clearTimeout(pauseTimer)
    clearTimeout(nudgeTimer)
    for (const settle of waiting.splice(0)) settle(false)
    const closed = worker?.close().catch(() => undefined)
    await allLeft()
    if (closed) await within(outage.error ? closeInOutageMs : closeMs, closed)
  }

  function allLeft(): Promise<void> {
    return new Promise((resolve) => {
      onEmpty = resolve
      if (held === 0) resolve()
    })
  }
}

/** `undefined` when it is none of ours: somebody wrote into the broker by hand. */
function toTaken(job: Job): TakenDelivery | undefined {
  const id = job.id ?? ''
  const dot = id.lastIndexOf('.')
  const number = Number(id.slice(dot + 1))
  if (dot < 1 || !Number.isInteger(number)) return undefined
  return { jobId: id.slice(0, dot), number, task: job.name }
}
