import type { Backend, OpenBackend } from '../backend.js'
import { createMemoryBroker, type MemoryServer } from '../broker/memory.js'
import { createDispatcher } from '../enqueue/dispatch.js'
import { ClosedError } from '../errors.js'
import type { Store } from '../store/store.js'
import type { Lease } from '../worker/lease.js'

/** What is behind an app that needs no server. It is there at once. */
export function openMemory(store: Store, server: MemoryServer): OpenBackend {
  return (_, hold, log) => {
    const broker = createMemoryBroker(server)
    const dispatcher = createDispatcher({ broker, store, hold, log })
    store.onCommitted(dispatcher.sendCommitted)
    const backend: Backend = { store, broker, dispatcher, lease: () => unendingLease }
    let present: Backend | undefined = backend

    return {
      opened: Promise.resolve(backend),
      get present() {
        return present
      },
      get known() {
        return present
      },
      async ready() {
        if (present) return present
        throw new ClosedError('This createTestJobs() has been closed.')
      },
      async close() {
        present = undefined
        await dispatcher.close()
        await broker.close()
        await store.close()
      },
    }
  }
}

/** A worker in the process of its store cannot be lost by it. */
const unendingLease: Lease = { isHeld: true, begin: async () => {}, stop: async () => {} }
