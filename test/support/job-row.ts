import { v7 as uuidv7 } from 'uuid'
import type { NewJob } from '../../src/store/store.js'

/** A job as it is written, with nothing said but what is given. */
export function jobRow(about: Partial<NewJob> = {}): NewJob {
  return {
    id: uuidv7(),
    task: 'test.task',
    queue: 'default',
    payload: 'null',
    options: null,
    priority: 0,
    maxAttempts: 1,
    owner: null,
    tags: [],
    idempotencyKey: null,
    parentId: null,
    requestId: null,
    traceparent: null,
    context: null,
    limitKey: null,
    unique: null,
    delayMs: null,
    runAt: null,
    expiresInMs: null,
    ...about,
  }
}
