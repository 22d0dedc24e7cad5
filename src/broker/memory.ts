import { randomUUID } from 'node:crypto'
import { ClosedError } from '../errors.js'
import { startTimer } from '../waiting.js'
import type { Broker, Delivery, DeliveryCounts, Intake, TakenDelivery, Taker } from './broker.js'

/** Queues in the memory of this process. Brokers share them as they would share a server. */
export interface MemoryServer {
  /** Hands over what waits, from now on. It does so from the start. */
  flow(): void
  /** Hands over nothing more until `flow`. What is taken stays taken. */
  halt(): void
  isFlowing(): boolean
  /** Hands over what the intakes have room for, soon. */
  pump(): void
  /** Looks at the clock, where it was moved: what is due waits for a worker now. */
  tick(): void
  /** When the next delayed delivery is due, by the clock. */
  nextDueAt(): number | undefined
  /** Whether a delivery is taken, or is about to be. */
  isBusy(): boolean
  /** Drops what waits and what is delayed. */
  clear(): void

  readonly queues: ReadonlyMap<string, MemoryQueue>
  queue(name: string): MemoryQueue
  readonly mark: { value: string | undefined; readonly instance: string }
}

export interface MemoryServerOptions {
  /** Milliseconds. Default: the clock of the process. */
  readonly now?: () => number
  /** Calls back after so many milliseconds. Without it, `tick` says when to look. */
  readonly alarm?: (ms: number, ring: () => void) => { cancel(): void }
  /** Whether a queue that nobody serves is served by those who serve another. */
  readonly servesAll?: boolean
  /** Queues whose deliveries nobody is to get now. Default: none. */
  readonly isPaused?: (queue: string) => boolean
}

/** The deliveries of one queue. */
interface MemoryQueue {
  readonly name: string
  readonly intakes: Set<Taking>
  add(delivery: Delivery): void
  /** Hands over what the intakes have room for, soon. */
  pump(): void
  tick(): void
  nextDueAt(): number | undefined
  isBusy(): boolean
  counts(): DeliveryCounts
  clear(): void
}

/** An intake, as its queue sees it. */
interface Taking {
  hasRoom(): boolean
  /** Resolves when it is answered. */
  hand(delivery: TakenDelivery): Promise<'done' | 'return'>
}

interface Entry {
  readonly id: string
  readonly delivery: TakenDelivery
  readonly priority: number
  /** Among those of its priority. */
  order: number
  readonly dueAt: number
}

/** What was given back may come again at once, to another. */
const restMs = 100

/** The alarm of a process that waits for real. */
export function ringAfter(ms: number, ring: () => void): { cancel(): void } {
  return startTimer(ms, ring).unref()
}

export function createMemoryServer(options: MemoryServerOptions = {}): MemoryServer {
  const { now = Date.now, alarm, servesAll = false, isPaused = () => false } = options
  const queues = new Map<string, MemoryQueue>()
  let flowing = true

  return {
    queues,
    mark: { value: undefined, instance: randomUUID() },
    queue(name) {
      const present = queues.get(name)
      if (present) return present
      const queue = createQueue(name, {
        now,
        alarm,
        isOpen: () => flowing && !isPaused(name),
        others,
        onRoom: pump,
      })
      queues.set(name, queue)
      return queue
    },
    flow() {
      flowing = true
      pump()
    },
    halt() {
      flowing = false
    },
    isFlowing: () => flowing,
    pump,
    tick() {
      for (const queue of queues.values()) queue.tick()
    },
    nextDueAt() {
      const times = [...queues.values()].flatMap((queue) => queue.nextDueAt() ?? [])
      return times.length === 0 ? undefined : Math.min(...times)
    },
    isBusy: () => [...queues.values()].some((queue) => queue.isBusy()),
    clear() {
      for (const queue of queues.values()) queue.clear()
    },
  }

  function pump(): void {
    for (const queue of queues.values()) queue.pump()
  }

  function others(): Taking[] {
    return servesAll ? [...queues.values()].flatMap(({ intakes }) => [...intakes]) : []
  }
}

interface QueueDeps {
  readonly now: () => number
  readonly alarm: MemoryServerOptions['alarm']
  /** Whether anything is handed over now. */
  readonly isOpen: () => boolean
  /** The intakes that a queue without its own may use. */
  readonly others: () => readonly Taking[]
  /** An intake may take another delivery. */
  readonly onRoom: () => void
}

function createQueue(name: string, deps: QueueDeps): MemoryQueue {
  const { now, alarm, isOpen, others, onRoom } = deps
  const ids = new Set<string>()
  const intakes = new Set<Taking>()
  let waiting: Entry[] = []
  let delayed: Entry[] = []
  let taken = 0
  let last = 0
  let first = 0
  let pumping = false
  let ringing: { cancel(): void } | undefined

  const queue: MemoryQueue = {
    name,
    intakes,
    add,
    pump,
    tick,
    nextDueAt: () => delayed[0]?.dueAt,
    isBusy: () => taken > 0 || (waiting.length > 0 && isOpen() && takers().length > 0),
    counts: () => ({ waiting: waiting.length, delayed: delayed.length, taken }),
    clear() {
      for (const { id } of [...waiting, ...delayed]) ids.delete(id)
      waiting = []
      delayed = []
    },
  }
  return queue

  function add({ jobId, number, task, priority = 0, delayMs = 0, ahead = false }: Delivery): void {
    const id = `${jobId}.${number}`
    if (ids.has(id)) return
    ids.add(id)
    const entry: Entry = {
      id,
      delivery: { jobId, number, task },
      priority: ahead ? 0 : priority,
      order: ahead ? nextFirst() : nextLast(),
      dueAt: now() + delayMs,
    }
    if (delayMs > 0) delay(entry)
    else put(entry)
  }

  function delay(entry: Entry): void {
    insert(delayed, entry, (one, other) => one.dueAt - other.dueAt)
    if (delayed[0] === entry) arm()
  }

  function arm(): void {
    const [next] = delayed
    if (!next || !alarm) return
    ringing?.cancel()
    ringing = alarm(Math.max(0, next.dueAt - now()), tick)
  }

  function tick(): void {
    const due = delayed.findIndex(({ dueAt }) => dueAt > now())
    for (const entry of delayed.splice(0, due === -1 ? delayed.length : due)) {
      entry.order = nextLast()
      put(entry)
    }
    arm()
  }

  function put(entry: Entry): void {
    insert(waiting, entry, (one, other) => one.priority - other.priority || one.order - other.order)
    pump()
  }

  function nextLast(): number {
    last += 1
    return last
  }

  function nextFirst(): number {
    first -= 1
    return first
  }

  function takers(): readonly Taking[] {
    return intakes.size > 0 ? [...intakes] : others()
  }

  function pump(): void {
    if (pumping) return
    pumping = true
    queueMicrotask(() => {
      pumping = false
      while (waiting.length > 0 && isOpen()) {
        const intake = takers().find((each) => each.hasRoom())
        const entry = intake && waiting.shift()
        if (!entry) return
        void handOver(intake, entry)
      }
    })
  }

  async function handOver(intake: Taking, entry: Entry): Promise<void> {
    taken += 1
    const answer = await intake.hand(entry.delivery)
    taken -= 1
    if (answer === 'done') ids.delete(entry.id)
    else put({ ...entry, order: nextFirst() })
    onRoom()
  }
}

/** Keeps `entries` in order; what is the last, as most are, costs nothing. */
function insert(entries: Entry[], entry: Entry, compare: (one: Entry, other: Entry) => number): void {
  let from = 0
  let to = entries.length
  while (from < to) {
    const middle = to === entries.length ? to - 1 : (from + to) >> 1
    const other = entries[middle]
    if (other && compare(other, entry) <= 0) from = middle + 1
    else to = middle
  }
  entries.splice(from, 0, entry)
}

/** Moves deliveries within one process: for tests, and for the broker's contract, which it keeps as the others do. */
export function createMemoryBroker(server: MemoryServer): Broker {
  let isClosed = false

  return {
    kind: 'memory',
    address: 'memory',
    async dispatch(deliveries) {
      assertOpen()
      for (const delivery of deliveries) server.queue(delivery.queue).add(delivery)
    },
    take: (queue, taker) => createMemoryIntake(server, server.queue(queue), taker),
    async counts(queue) {
      assertOpen()
      return server.queue(queue).counts()
    },
    async ping() {
      assertOpen()
    },
    async facts() {
      assertOpen()
      return { kind: 'memory', address: 'memory' }
    },
    async readMark() {
      assertOpen()
      return { ...server.mark }
    },
    async writeMark(value) {
      assertOpen()
      const answer = server.mark.value === undefined ? 'made' : 'renewed'
      server.mark.value = value
      return answer
    },
    async close() {
      isClosed = true
    },
  }

  function assertOpen(): void {
    if (isClosed) throw new ClosedError('The broker has been closed.')
  }
}

function createMemoryIntake(server: MemoryServer, queue: MemoryQueue, taker: Taker): Intake {
  let limit = 0
  let held = 0
  let resting = 0
  let onEmpty: (() => void) | undefined
  const taking: Taking = { hasRoom: () => held + resting < limit, hand }
  queue.intakes.add(taking)

  return {
    queue: queue.name,
    setLimit(next) {
      limit = next
      server.pump()
    },
    async close() {
      limit = 0
      queue.intakes.delete(taking)
      if (held > 0) await new Promise<void>((resolve) => (onEmpty = resolve))
    },
  }

  async function hand(delivery: TakenDelivery): Promise<'done' | 'return'> {
    held += 1
    const answer = await taker.onDelivery(delivery).catch(() => 'return' as const)
    held -= 1
    if (answer === 'return') rest()
    if (held === 0) onEmpty?.()
    return answer
  }

  function rest(): void {
    resting += 1
    startTimer(restMs, () => {
      resting -= 1
      server.pump()
    }).unref()
  }
}
