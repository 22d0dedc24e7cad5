import type { Job } from '../job/job.js'
import type { Committed, Store } from '../store/store.js'

/** Knows whether a live worker serves a queue, and says so once when none does. */
export interface Unserved {
  /** Jobs were written; somebody should take those that are due. */
  noticeCommitted(committed: Committed): void
  /** Whether the job waits for a worker that is not there. */
  isWaiting(job: Pick<Job, 'state' | 'queue' | 'runAt'>): Promise<boolean>
  close(): void
}

const patienceMs = 3000
const freshMs = 2000

/** @param warn told once of each queue that nobody serves */
export function createUnserved(store: () => Store | undefined, warn: (queue: string) => void): Unserved {
  const checks = new Map<string, NodeJS.Timeout>()
  const told = new Set<string>()
  let served: ReadonlySet<string> = new Set()
  let askedAt = 0
  let asking: Promise<void> | undefined

  return {
    noticeCommitted({ deliveries }) {
      for (const { queue, dueInMs } of deliveries) if (dueInMs === 0) watch(queue)
    },
    async isWaiting({ state, queue, runAt }) {
      if (state !== 'queued' || Date.now() - runAt.getTime() < patienceMs) return false
      return !(await isServed(queue))
    },
    close() {
      for (const timer of checks.values()) clearTimeout(timer)
    },
  }

  function watch(queue: string): void {
    if (checks.has(queue) || told.has(queue)) return
    const timer = setTimeout(() => void check(queue), patienceMs)
    timer.unref()
    checks.set(queue, timer)
  }

  async function check(queue: string): Promise<void> {
    if (!(await isServed(queue))) {
      told.add(queue)
      warn(queue)
    }
    checks.delete(queue)
  }

  async function isServed(queue: string): Promise<boolean> {
    try {
      if (Date.now() - askedAt > freshMs) {
        asking ??= ask()
        await asking
      }
    } catch {
      // Nothing is known while the store is away, and nothing is claimed.
      return true
    }
    if (served.has(queue)) told.delete(queue)
    return served.has(queue)
  }

  async function ask(): Promise<void> {
    try {
      served = new Set(await store()?.servedQueues())
      askedAt = Date.now()
    } finally {
      asking = undefined
    }
  }
}
