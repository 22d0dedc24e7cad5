import type { NewWorker } from '../../src/store/store.js'

/** A worker as the store has it. */
export function workerRow(given: Pick<NewWorker, 'id' | 'name'> & Partial<NewWorker>): NewWorker {
  return {
    ...{ host: 'host', pid: 1, queues: ['default'], tasks: [], concurrency: 1, version: '1', configHash: '' },
    ...{ missedLimit: 5, lockKey: 1n },
    ...given,
  }
}
