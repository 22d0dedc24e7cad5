import type { LimitBook } from '../enqueue/limit-book.js'
import type { Admitted, Applicant, ClaimedJob, DeliveryKey, Store, TurnNews } from '../store/store.js'
import { within } from '../waiting.js'
import type { Served } from './served.js'
import type { Slots } from './slots.js'

export interface GateDeps {
  readonly store: Pick<Store, 'admit' | 'limit' | 'onTurn'>
  readonly served: Served
  readonly slots: Pick<Slots<unknown>, 'reserve' | 'reserveNow' | 'release'>
  readonly limits: LimitBook
  /** Empty while the worker has no lease; it takes nothing then. */
  readonly workerId: () => string
  readonly onClaimed: (queue: string, job: ClaimedJob, workerId: string) => void
  /** A job had waited too long when its turn came. */
  readonly onExpired: (jobId: string) => void
  readonly holds: (delivery: DeliveryKey) => boolean
  readonly log: { warn(message: string): void }
}

/** Where jobs with limits come in. They wait in the store, so none of them holds a slot or stands in another's way. */
export interface Gate {
  /** Whether a job that was claimed has limits by now, and must wait for its turn. */
  mustWait(job: ClaimedJob): boolean
  /** Gives such a job back. */
  sendBack(job: ClaimedJob, workerId: string): void
  /** A job with limits has ended here, and what came of it is recorded: another may start. */
  noticeFreed(): void
  /** Other queues are served, or open, from now on. */
  serve(served: Served): void
  stop(): Promise<void>
}

/** How long ends and news are gathered, where the last look has started some. */
const gatherMs = 2
/** Each look that starts none makes the next news wait longer. */
const fruitlessMs = 20
const longestGatherMs = 200
/** Where a rate decides: what a look finds late, up to a second of it, starts at once. */
const paceMs = 50
/** News, and ends in other processes, may be missed. */
const netMs = { waiting: 1000, quiet: 5000, unlimited: 30_000 }
/** Who waited for a slot lets others go first before it asks again. */
const yieldMs = 10
const refusedMs = 250
const troubleMs = 500
const mostPlaces = 64
const stopMs = 5000

/** Asks the store, at the right moment, whose turn it is: when one waits, when one has ended, when a rate allows it. */
export function createGate(deps: GateDeps): Gate {
  const { store, slots, limits, workerId, log } = deps
  /** Tasks whose rate lets nothing start before that time: news of them change nothing. */
  const quiet = new Map<string, number>()
  const leaving = new Map<string, { readonly job: ClaimedJob; readonly workerId: string }[]>()
  let stopping = false
  let nextLook = 0
  let lastLook = 0
  let fruitless = 0
  let wanted = 1
  let inTrouble = false
  let wake: () => void = () => {}
  let served = deps.served
  /** Of the job that came last. */
  let lastQueue: string | undefined
  const unlisten = [store.onTurn(hear), limits.onChange(lookAnew)]
  const running = run()

  return {
    mustWait: ({ limitKey, task, queue }) => limitKey === null && limits.isLimited(task, queue),
    sendBack,
    serve(next) {
      served = next
      lookAnew()
    },
    noticeFreed: () => lookBy(Math.max(performance.now(), lastLook + gatherMs)),
    async stop() {
      stopping = true
      for (const end of unlisten) end()
      wake()
      await within(stopMs, running)
    },
  }

  function hear(news: TurnNews | undefined): void {
    const now = performance.now()
    if (news) {
      if (!served.isOpen(news.queue) || !limits.ofTask(news.task)) return
      if ((quiet.get(lineOf(news)) ?? 0) > now) return
    }
    lookBy(
      Math.max(
        now,
        lastLook + (fruitless === 0 ? gatherMs : Math.min(fruitless * fruitlessMs, longestGatherMs)),
      ),
    )
  }

  /** Other limits hold now. */
  function lookAnew(): void {
    quiet.clear()
    lookBy(performance.now())
  }

  function lookBy(time: number): void {
    if (time >= nextLook) return
    nextLook = time
    wake()
  }

  async function run(): Promise<void> {
    while (!stopping) {
      await untilDue()
      if (stopping) return
      try {
        await look()
        inTrouble = false
      } catch (error) {
        if (!inTrouble && !stopping) log.warn(`Jobs with limits wait: ${messageOf(error)}`)
        inTrouble = true
        nextLook = performance.now() + troubleMs
      }
    }
  }

  async function untilDue(): Promise<void> {
    for (
      let leftMs = nextLook - performance.now();
      leftMs > 0 && !stopping;
      leftMs = nextLook - performance.now()
    ) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs)
        timer.unref()
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  async function look(): Promise<void> {
    // What is heard from here on asks for another look.
    nextLook = Number.POSITIVE_INFINITY
    const claimedBy = workerId()
    if (claimedBy === '') return lookBy(performance.now() + troubleMs)
    if (served.open.length === 0) return wantNone(claimedBy)
    const { places, waited } = await reserve()
    if (places === 0) return lookBy(performance.now() + yieldMs)
    let held = places
    try {
      const admitted = await store.admit(applicant(claimedBy, places))
      for (const job of admitted.jobs) {
        held -= 1
        bringIn(job, claimedBy)
      }
      for (const id of admitted.expired) deps.onExpired(id)
      lastLook = performance.now()
      planNext(admitted, places)
    } finally {
      for (; held > 0; held -= 1) slots.release()
    }
    if (waited) nextLook = Math.max(nextLook, performance.now() + yieldMs)
  }

  async function wantNone(claimedBy: string): Promise<void> {
    await store.admit(applicant(claimedBy, 0))
    lookBy(performance.now() + netMs.quiet)
  }

  function applicant(claimedBy: string, places: number): Applicant {
    return {
      workerId: claimedBy,
      queues: served.open,
      places,
      limitsOf: limits.ofTask,
      limitOf: limits.ofQueue,
    }
  }

  /** No more than the last looks could use, so that nothing is kept from others. */
  async function reserve(): Promise<{ readonly places: number; readonly waited: boolean }> {
    const places = slots.reserveNow(wanted)
    if (places > 0) return { places, waited: false }
    return { places: (await reserveOne()) ? 1 : 0, waited: true }
  }

  /** Behind those who wait in the line of the last job's queue, else behind all. */
  function reserveOne(): Promise<boolean> {
    const { open, isOpen } = served
    const queue = lastQueue !== undefined && isOpen(lastQueue) ? lastQueue : open.at(-1)
    return queue === undefined ? Promise.resolve(false) : slots.reserve(queue)
  }

  function bringIn(job: ClaimedJob, claimedBy: string): void {
    lastQueue = job.queue
    deps.onClaimed(job.queue, job, claimedBy)
    // It was given back, and would come again at once.
    if (!deps.holds({ jobId: job.id, number: job.number })) fruitless = longestGatherMs
  }

  function planNext(admitted: Admitted, places: number): void {
    const now = performance.now()
    const started = admitted.jobs.length
    const isRefused = fruitless === longestGatherMs
    fruitless = started > 0 ? 0 : fruitless + 1
    wanted = started === places ? Math.min(wanted * 2, mostPlaces) : Math.max(1, started + 1)
    for (const [line, until] of quiet) if (until <= now) quiet.delete(line)
    for (const { inMs, ...line } of admitted.paced) quiet.set(lineOf(line), now + inMs)
    if (isRefused) {
      nextLook = now + refusedMs
      return
    }
    lookBy(now + pauseAfter(admitted, places))
  }

  function pauseAfter(admitted: Admitted, places: number): number {
    const { jobs, isWaiting, isUnfinished, nextInMs } = admitted
    const restMs = Math.min(Math.max(0, fruitless - 2) * fruitlessMs, longestGatherMs)
    if (isUnfinished) return 1 + Math.random() * 5 + restMs
    if (jobs.length === places) return 0
    if (nextInMs !== null && nextInMs <= 0) return restMs
    if (nextInMs !== null) return Math.min(netMs.waiting, Math.max(nextInMs, paceMs * (1 + Math.random())))
    if (isWaiting) return netMs.waiting
    return limits.hasAny() ? netMs.quiet : netMs.unlimited
  }

  /** Those of one turn of the event loop go together, under each identity of the worker. */
  function sendBack(job: ClaimedJob, claimedBy: string): void {
    slots.release()
    const batch = leaving.get(claimedBy)
    if (batch) {
      batch.push({ job, workerId: claimedBy })
      return
    }
    leaving.set(claimedBy, [{ job, workerId: claimedBy }])
    setImmediate(() => void limitAll(claimedBy))
  }

  async function limitAll(claimedBy: string): Promise<void> {
    const jobs = (leaving.get(claimedBy) ?? []).map(({ job }) => job)
    leaving.delete(claimedBy)
    const claims = await Promise.all(
      jobs.map(async ({ id, number, task, payload }) => ({
        jobId: id,
        number,
        limitKey: await limits.keyOf(task, payload),
      })),
    )
    while (!stopping) {
      try {
        await store.limit(claims, claimedBy)
        return
      } catch (error) {
        log.warn(`Jobs that have limits by now are kept for the store: ${messageOf(error)}`)
        await new Promise((resolve) => setTimeout(resolve, troubleMs))
      }
    }
  }
}

function lineOf({ queue, task }: TurnNews): string {
  return `${queue} ${task}`
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
