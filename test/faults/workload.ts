import type { ClientEvent, Wish } from './checker/history.js'
import { isEnd, type JobState } from './checker/history.js'
import { ask } from './client.js'
import type { Journal } from './journal.js'
import type { Random } from './random.js'

/** What is asked for, and in which proportions. */
export interface Order {
  readonly task: string
  readonly payload?: object
  readonly wish?: Wish
  readonly delayMs?: number
}

export interface WorkloadOptions {
  readonly random: Random
  readonly journal: Journal<ClientEvent>
  /** Of the web processes. One may be away. */
  readonly urls: readonly string[]
  readonly jobs: number
  /** Keys begin with it. */
  readonly name: string
  /** The first key's number. Default 0. */
  readonly from?: number
  /** How many requests are under way at once. Default 40. */
  readonly clients?: number
  /** Default: as fast as it goes. */
  readonly jobsPerSecond?: number
  readonly order?: (random: Random) => Order
}

export interface Workload {
  /** Accepted so far. */
  readonly accepted: number
  readonly seenEnds: number
  /** The next key's number. */
  readonly next: number
  /** Resolves when every job is accepted and every follower has seen an end. */
  readonly done: Promise<void>
  /** Asks for no further job. */
  finish(): void
  /** Asks for nothing more, and gives up on what is followed. */
  stop(): void
}

/** A mix as a real app has it: mostly quick, some slow, some that fail first, some cancelled. */
export function mixedOrder(random: Random): Order {
  const part = random.next()
  if (part < 0.7) return { task: 'quick' }
  if (part < 0.88) return { task: 'brief' }
  if (part < 0.95) return { task: 'slow', payload: { ms: random.between(1000, 3000) } }
  if (part < 0.97) return { task: 'deaf', payload: { ms: random.between(500, 1500) } }
  if (part < 0.985) return { task: 'flaky', payload: { failures: random.between(1, 2) } }
  return { task: 'quick', delayMs: random.between(100, 5000) }
}

const retryMs = 300
const pollMs = 250
/** One job in so many is followed to its end, and one in so many is cancelled. */
const followed = 10
const cancelled = 40

/** Clients that ask until they have an answer that they can trust, with the same key. */
export function startWorkload(options: WorkloadOptions): Workload {
  const { journal, urls, name, from = 0, clients = 40 } = options
  const order = options.order ?? mixedOrder
  const random = options.random.fork(`workload ${from}`)
  const began = performance.now()
  let next = from
  let last = options.jobs
  let accepted = 0
  let seenEnds = 0
  let stopped = false
  const followers = new Set<Promise<void>>()
  const clientsDone = Promise.all(Array.from({ length: clients }, (_, at) => client(at)))
  const done = clientsDone.then(async () => {
    while (followers.size > 0) await Promise.all(followers)
  })

  return {
    get accepted() {
      return accepted
    },
    get seenEnds() {
      return seenEnds
    },
    get next() {
      return next
    },
    done,
    finish() {
      last = next
    },
    stop() {
      stopped = true
    },
  }

  async function client(at: number): Promise<void> {
    while (!stopped && next < last) {
      const number = next
      next += 1
      await inTime(number - from)
      const key = `${name}-${number}`
      const wanted = order(random)
      const [follow, cancel] = [random.isOneIn(followed), random.isOneIn(cancelled)]
      const id = await submit(key, wanted, at)
      if (id === undefined) continue
      accepted += 1
      if (follow || cancel) track(followJob(id, cancel, at))
    }
  }

  async function inTime(number: number): Promise<void> {
    if (options.jobsPerSecond === undefined) return
    const dueMs = (number * 1000) / options.jobsPerSecond
    while (!stopped && performance.now() - began < dueMs) await sleep(20)
  }

  /** Asks again, at the next web process, until there is a yes or a no. */
  async function submit(key: string, { task, payload, wish, delayMs }: Order, at: number) {
    for (let tries = 0; !stopped; tries += 1) {
      journal.write({ at: Date.now(), kind: 'asked', key, task: `work.${task}`, ...wish })
      const { status, body, tookMs } = await ask(`${urlFor(at + tries)}/accept/${task}`, {
        method: 'POST',
        headers: { 'idempotency-key': key, ...(delayMs === undefined ? {} : { 'x-delay': String(delayMs) }) },
        body: { key, ...payload },
      })
      const told = { at: Date.now(), key, tookMs: Math.round(tookMs) }
      const id = (body as { id?: string } | undefined)?.id
      if (status === 202 && id !== undefined) {
        journal.write({ ...told, kind: 'accepted', id })
        return id
      }
      if (status !== undefined && status >= 400 && status < 500 && status !== 429) {
        journal.write({ ...told, kind: 'refused', status })
        return undefined
      }
      journal.write({ ...told, kind: 'unsure', ...(status === undefined ? {} : { status }) })
      await sleep(retryMs)
    }
    return undefined
  }

  function track(work: Promise<void>): void {
    followers.add(work)
    work.finally(() => followers.delete(work))
  }

  /** Reads one job's status until it has ended, and once more after that. */
  async function followJob(id: string, cancel: boolean, at: number): Promise<void> {
    if (cancel) await cancelJob(id, at)
    let looksAfterEnd = 2
    for (let tries = 0; !stopped && looksAfterEnd > 0; tries += 1) {
      const { status, body, tookMs } = await ask(`${urlFor(at + tries)}/jobs/${id}`)
      const state = status === 404 ? 'missing' : (body as { state?: JobState } | undefined)?.state
      if ((status === 200 || status === 404) && state !== undefined) {
        journal.write({ at: Date.now(), kind: 'seen', id, state, tookMs: Math.round(tookMs) })
        if (state === 'missing') return
        if (isEnd(state)) looksAfterEnd -= 1
      }
      await sleep(pollMs)
    }
    if (looksAfterEnd === 0) seenEnds += 1
  }

  async function cancelJob(id: string, at: number): Promise<void> {
    const { status, body } = await ask(`${urlFor(at)}/jobs/${id}`, { method: 'DELETE' })
    const answer = toCancelAnswer(status, (body as { state?: string } | undefined)?.state)
    if (answer) journal.write({ at: Date.now(), kind: 'cancelled', id, answer })
  }

  function urlFor(at: number): string {
    const url = urls[at % urls.length]
    if (url === undefined) throw new Error('There is no web process to ask.')
    return url
  }
}

function toCancelAnswer(status: number | undefined, state: string | undefined) {
  if (status === 404) return 'unknown'
  if (status === 409) return 'finished'
  if (status === 202) return state === 'cancelled' ? 'cancelled' : 'cancelling'
  return undefined
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
