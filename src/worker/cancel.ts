import type { Store } from '../store/store.js'

export interface CancelWatchDeps {
  readonly store: Pick<Store, 'onCancelRequest' | 'cancelRequestedAmong'>
  readonly running: () => readonly string[]
  readonly onCancel: (jobId: string) => void
}

/** A notification may be missed while its connection is renewed; the rows know. */
const lookMs = 5000

/** Hears at once when a running job is asked to stop, and looks every 5 s for what it did not hear. */
export function watchCancelRequests({ store, running, onCancel }: CancelWatchDeps): { close(): void } {
  const unlisten = store.onCancelRequest(onCancel)
  const timer = setInterval(() => void look(), lookMs)
  timer.unref()

  return {
    close() {
      clearInterval(timer)
      unlisten()
    },
  }

  async function look(): Promise<void> {
    const ids = running()
    if (ids.length === 0) return
    try {
      for (const id of await store.cancelRequestedAmong(ids)) onCancel(id)
    } catch {
      // The store is away; the next look will see.
    }
  }
}
