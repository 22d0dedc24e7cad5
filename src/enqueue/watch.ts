import type { Store } from '../store/store.js'

/** Tells when jobs end: one query a tick for all that this process watches, none when nothing is watched. */
export interface Watcher {
  /** Resolves `true` when the job has ended or is gone, `false` after `timeoutMs` or when `signal` aborts. */
  ended(id: string, timeoutMs: number, signal?: AbortSignal): Promise<boolean>
  /** Told by a worker of this process, which knows first. */
  noticeEnd(id: string): void
  close(): void
}

const tickMs = 50

export function createWatcher(store: Pick<Store, 'endedAmong'>): Watcher {
  const watched = new Map<string, Set<(ended: boolean) => void>>()
  let ticking = false
  let closed = false

  return {
    ended(id, timeoutMs, signal) {
      if (closed || signal?.aborted) return Promise.resolve(false)
      return new Promise((resolve) => {
        const answer = (ended: boolean) => {
          clearTimeout(timer)
          signal?.removeEventListener('abort', giveUp)
          unwatch(id, answer)
          resolve(ended)
        }
        const giveUp = () => answer(false)
        const timer = setTimeout(giveUp, timeoutMs)
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
