import { ClosedError } from '../errors.js'
import type { Store } from '../store/store.js'

/** Tells when jobs end: one query a tick for all that this process watches, none when nothing is watched. */
export interface Watcher {
  /**
   * Resolves `true` when the job has ended or is gone, `false` after `timeoutMs` (at most 24 days) or when `signal`
   * aborts.
   * @throws {ClosedError} when the watcher is closed, or is closed meanwhile
   */
  ended(id: string, timeoutMs: number, signal?: AbortSignal): Promise<boolean>
  /** Told by a worker of this process, which knows first. */
  noticeEnd(id: string): void
  close(): void
}

const tickMs = 50
/** Node fires a longer timer at once. */
const longestTimerMs = 2 ** 31 - 1
const closedMessage = 'This celeriac() was closed while the job was waited for. The job goes on.'

export function createWatcher(store: Pick<Store, 'endedAmong'>): Watcher {
  const watched = new Map<string, Set<(ended: boolean) => void>>()
  let ticking = false
  let closed = false

  return {
    ended(id, timeoutMs, signal) {
      if (closed) return Promise.reject(new ClosedError(closedMessage))
      if (signal?.aborted) return Promise.resolve(false)
      return new Promise((resolve, reject) => {
        const answer = (ended: boolean) => {
          clearTimeout(timer)
          signal?.removeEventListener('abort', giveUp)
          unwatch(id, answer)
          if (closed) reject(new ClosedError(closedMessage))
          else resolve(ended)
        }
        const giveUp = () => answer(false)
        const timer = setTimeout(giveUp, Math.min(timeoutMs, longestTimerMs))
        signal?.addEventListener('abort', giveUp)
        watch(id, answer)
      })
    },
    noticeEnd: announce,
    close() {
      closed = true
      for (const answers of watched.values()) for (const answer of [...answers]) answer(false)
    },
  }

  function watch(id: string, answer: (ended: boolean) => void): void {
    const answers = watched.get(id) ?? new Set()
    watched.set(id, answers.add(answer))
    if (ticking) return
    ticking = true
    void tick()
  }

  function unwatch(id: string, answer: (ended: boolean) => void): void {
    const answers = watched.get(id)
    answers?.delete(answer)
    if (answers?.size === 0) watched.delete(id)
  }

  async function tick(): Promise<void> {
    while (watched.size > 0) {
      try {
        for (const id of await store.endedAmong([...watched.keys()])) announce(id)
      } catch {
        // The store is away: those who wait have their own timeouts.
      }
      if (watched.size > 0) await new Promise((resolve) => setTimeout(resolve, tickMs))
    }
    ticking = false
  }

  function announce(id: string): void {
    for (const answer of [...(watched.get(id) ?? [])]) answer(true)
  }
}
