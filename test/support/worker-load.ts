import type { WorkerLoad } from '../../src/store/store.js'

/** What a worker says of itself that does nothing, but for what is given. */
export function workerLoad(about: Partial<WorkerLoad> = {}): WorkerLoad {
  return { running: 0, concurrency: 1, memory: 100_000_000, loopDelayMs: 0, cpu: 0, processed: 0, ...about }
}
