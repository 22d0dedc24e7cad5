import { StoreUnavailableError } from '../errors.js'
import { type JobLogLevel, logLevels } from '../job/event.js'
import { type Hide, type PlainLine, toPlainLine } from '../job/log-line.js'
import type { ClaimedJob, NewLogLine, Store } from '../store/store.js'
import type { KeepLine } from '../telemetry/log.js'

/** Which lines of handlers are kept with their jobs. */
export interface LogsConfig {
  /** This level and those above it. */
  readonly level: JobLogLevel
  /** Of one attempt. */
  readonly lines: number
}

/** Keeps what handlers log: gathered, and written a few times a second for all jobs of the process together. */
export interface JobLogs {
  /** Called at the first line of an attempt: most write none. */
  open(job: Pick<ClaimedJob, 'id' | 'number' | 'attempt'>, workerId: string, hide?: Hide): AttemptLines
  /** Waits for the store no longer. What is not written is left out. */
  forsake(): void
}

export interface AttemptLines {
  /** Never throws. */
  readonly keep: KeepLine
  /** Resolves when all lines are written, or given up. */
  flushed(): Promise<void>
}

export interface JobLogsDeps extends LogsConfig {
  readonly store: Pick<Store, 'saveLogs' | 'trimLogs'>
  readonly log: { warn(message: string): void }
}

const intervalMs = 200
/** Numbers of one attempt. */
export const linesPerAttempt = 1_000_000
const mostInStatement = 1000
/** Characters, all jobs together. Beyond it, as when the store is away for long, lines are left out. */
const mostWaiting = 16_000_000
const firstPauseMs = 200
const longestPauseMs = 2000

type Waiting = Omit<NewLogLine, 'agoMs'> & { readonly loggedAt: number }

export function createJobLogs({ store, log, level, lines }: JobLogsDeps): JobLogs {
  const least = logLevels.indexOf(level)
  const queue: Waiting[] = []
  const flushes = new Set<{ readonly upTo: number; readonly done: () => void }>()
  let added = 0
  let written = 0
  let size = 0
  let writing = false
  let wake: (() => void) | undefined
  let forsaken = false
  let isFull = false

  return {
    open,
    forsake() {
      forsaken = true
      wake?.()
    },
  }

  function open(
    { id: jobId, number: delivery, attempt }: Pick<ClaimedJob, 'id' | 'number' | 'attempt'>,
    workerId: string,
    hide?: Hide,
  ): AttemptLines {
    const before = attempt * linesPerAttempt
    const trimmed = attempt > 1 ? trim(jobId) : undefined
    let count = 0
    let last = 0
    return {
      keep(level, first, second) {
        if (count > lines || logLevels.indexOf(level) < least) return
        if (count < lines) add(level, toPlainLine(first, second, hide))
        else add('warn', { message: leftOut(lines), details: null })
      },
      async flushed() {
        await trimmed
        await flush(last)
      },
    }

    function add(level: JobLogLevel, line: PlainLine): void {
      count += 1
      const number = before + count
      put({ jobId, delivery, workerId, number, attempt, level, ...line, loggedAt: performance.now() })
      last = added
    }
  }

  function put(line: Waiting): void {
    const more = sizeOf(line)
    if (forsaken || size + more > mostWaiting) {
      tellFull()
      return
    }
    size += more
    added += 1
    queue.push(line)
    if (writing) return
    writing = true
    void writeAll()
  }

  async function writeAll(): Promise<void> {
    while (queue.length > 0) {
      if (flushes.size === 0) await pause(intervalMs)
      const batch = queue.slice(0, mostInStatement)
      await write(batch)
      queue.splice(0, batch.length)
      written += batch.length
      size -= batch.reduce((sum, line) => sum + sizeOf(line), 0)
      for (const flush of flushes) if (flush.upTo <= written) flush.done()
    }
    writing = false
  }

  /** Until it is done: what keeps the lines from the store keeps the ends of their attempts from it, too. */
  async function write(batch: readonly Waiting[]): Promise<void> {
    for (let pauseMs = firstPauseMs; !forsaken; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
      try {
        await store.saveLogs(batch.map(toNewLine))
        isFull = false
        return
      } catch (error) {
        if (error instanceof StoreUnavailableError) await pause(pauseMs)
        else {
          tellRefused(error)
          return
        }
      }
    }
  }

  function flush(upTo: number): Promise<void> {
    if (written >= upTo) return Promise.resolve()
    return new Promise((resolve) => {
      const flush = {
        upTo,
        done() {
          flushes.delete(flush)
          resolve()
        },
      }
      flushes.add(flush)
      wake?.()
    })
  }

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      timer.unref()
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  /** No failure to keep a line is one of the work. */
  async function trim(jobId: string): Promise<void> {
    await store.trimLogs(jobId, lines).catch(() => {})
  }

  function tellRefused(error: unknown): void {
    log.warn(`Lines of the logs of jobs were refused by the store: ${String(error)}`)
  }

  function tellFull(): void {
    if (isFull || forsaken) return
    isFull = true
    log.warn('The store does not keep up with what handlers log: lines are left out of the logs of jobs.')
  }
}

function leftOut(lines: number): string {
  return `What this attempt logs from here on is not kept: the limit is ${lines} lines.`
}

function toNewLine({ loggedAt, ...line }: Waiting): NewLogLine {
  return { ...line, agoMs: performance.now() - loggedAt }
}

/** Roughly, in characters. */
function sizeOf({ message, details }: Waiting): number {
  return 200 + message.length + (details?.length ?? 0)
}
