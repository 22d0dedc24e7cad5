/**
 * The jobs that a worker holds, in memory that its lease thread can read while the worker's event loop is blocked.
 *
 * An entry goes `claimed` → `started` when its handler begins, or `claimed` → `returned` when the thread gives the job
 * back. Both moves are one compare-and-exchange, so exactly one side wins.
 */
export interface Board {
  readonly memory: SharedArrayBuffer
  /** Says that the event loop turns. */
  beat(): void
  /** Notes a claimed job. -1: the board is full, and the thread will not know of this job. */
  put(jobId: string, number: number): number
  /** `false`: the thread has given the job back, and it must not run. */
  start(entry: number, deadline: number): boolean
  free(entry: number): void
}

/** The thread's side. */
export interface BoardReader {
  beats(): number
  /** Takes every claimed job from the worker. */
  takeUnstarted(): { readonly jobId: string; readonly number: number }[]
  /** A job that was started and whose deadline has passed. */
  overdue(now: number): string | undefined
}

const capacity = 1024
const stateOffset = 8
const idOffset = stateOffset + capacity * 4
const numberOffset = idOffset + capacity * 16
const deadlineOffset = numberOffset + capacity * 4
const size = deadlineOffset + capacity * 8

const free = 0
const claimed = 1
const started = 2
const returned = 3

export function createBoard(): Board {
  const memory = new SharedArrayBuffer(size)
  const { beats, states, ids, numbers, deadlines } = views(memory)
  const unused = Array.from({ length: capacity }, (_, index) => capacity - 1 - index)

  return {
    memory,
    beat: () => void Atomics.add(beats, 0, 1),
    put(jobId, number) {
      const entry = unused.pop()
      if (entry === undefined) return -1
      ids.write(jobId.replaceAll('-', ''), entry * 16, 16, 'hex')
      numbers[entry] = number
      deadlines[entry] = Number.POSITIVE_INFINITY
      Atomics.store(states, entry, claimed)
      return entry
    },
    start(entry, deadline) {
      if (entry < 0) return true
      deadlines[entry] = deadline
      return Atomics.compareExchange(states, entry, claimed, started) === claimed
    },
    free(entry) {
      if (entry < 0) return
      Atomics.store(states, entry, free)
      unused.push(entry)
    },
  }
}

export function readBoard(memory: SharedArrayBuffer): BoardReader {
  const { beats, states, ids, numbers, deadlines } = views(memory)

  return {
    beats: () => Atomics.load(beats, 0),
    takeUnstarted() {
      const taken: { jobId: string; number: number }[] = []
      for (let entry = 0; entry < capacity; entry += 1) {
        if (Atomics.compareExchange(states, entry, claimed, returned) !== claimed) continue
        taken.push({ jobId: uuidAt(ids, entry), number: numbers[entry] ?? 0 })
      }
      return taken
    },
    overdue(now) {
      for (let entry = 0; entry < capacity; entry += 1) {
        const deadline = deadlines[entry] ?? Number.POSITIVE_INFINITY
        if (Atomics.load(states, entry) === started && deadline < now) return uuidAt(ids, entry)
      }
      return undefined
    },
  }
}

function views(memory: SharedArrayBuffer) {
  return {
    beats: new Int32Array(memory, 0, 1),
    states: new Int32Array(memory, stateOffset, capacity),
    ids: Buffer.from(memory, idOffset, capacity * 16),
    numbers: new Int32Array(memory, numberOffset, capacity),
    deadlines: new Float64Array(memory, deadlineOffset, capacity),
  }
}

function uuidAt(ids: Buffer, entry: number): string {
  const hex = ids.toString('hex', entry * 16, entry * 16 + 16)
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
