import {
  EnqueueOptionError,
  IdempotencyConflictError,
  OwnerMissingError,
  StoreUnavailableError,
} from '../errors.js'
import type { EnqueueOptions, JobHandle } from '../job/job.js'
import type { InsertedJob, NewJob, Store } from '../store/store.js'
import { currentRequest, type OwnerOf, readOrigin, readOwner } from './context.js'
import type { Dispatchable, Dispatcher } from './dispatch.js'
import { type FirstStatus, Handle, type HandleHost } from './handle.js'
import type { Hold } from './hold.js'
import { checkedOwner, type JobDefaults, type Origin, toNewJob } from './job-row.js'

/** What the write path needs to know of a task. */
export interface EnqueueTarget extends JobDefaults {
  /** Checks a payload and gives its JSON text. */
  toPayloadText(payload: unknown): string | Promise<string>
}

/** What stands behind an enqueue once the app has found its servers. */
export interface WritePath {
  readonly store: Store
  readonly dispatcher: Dispatcher
}

export interface Enqueuer {
  enqueue(target: EnqueueTarget, payload: unknown, options?: EnqueueOptions): Promise<JobHandle>
  /** All or nothing: one transaction. */
  enqueueMany(
    target: EnqueueTarget,
    payloads: readonly unknown[],
    options?: EnqueueOptions,
  ): Promise<JobHandle[]>
}

export interface EnqueuerDeps {
  /** Waits for it, within the deadline. */
  readonly writePath: () => WritePath | Promise<WritePath>
  readonly handles: HandleHost
  readonly hold: Hold
  readonly ownerOf: OwnerOf | undefined
  /** Told of each job that was written, for those that watch whether a worker takes it. */
  readonly onEnqueued: (queue: string) => void
}

/**
 * The write path: validate → commit the row → return the handle → dispatch in bulk, behind the caller's back.
 *
 * `enqueue` resolves once the row is committed, whatever becomes of the broker.
 */
export function createEnqueuer({ writePath, handles, hold, ownerOf, onEnqueued }: EnqueuerDeps): Enqueuer {
  return {
    enqueue,
    enqueueMany: (target, payloads, options = {}) => hold.during(enqueueMany(target, payloads, options)),
  }

  // Where nothing needs to be waited for, nothing is: each promise costs about as much as a small payload's check.
  async function enqueue(
    target: EnqueueTarget,
    payload: unknown,
    options: EnqueueOptions = {},
  ): Promise<JobHandle> {
    hold.enter()
    try {
      const asked = originOf(target, options)
      const origin = asked instanceof Promise ? await asked : asked
      const checked = target.toPayloadText(payload)
      const text = typeof checked === 'string' ? checked : await checked
      const row = toNewJob(text, options, target, origin)
      const path = writePath()
      const { store, dispatcher } = path instanceof Promise ? await path : path
      const [inserted] = await store.insert([row])
      const [handle] = dispatch(dispatcher, [row], inserted ? [inserted] : [])
      return handle as JobHandle
    } finally {
      hold.leave()
    }
  }

  async function enqueueMany(
    target: EnqueueTarget,
    payloads: readonly unknown[],
    options: EnqueueOptions,
  ): Promise<JobHandle[]> {
    if (payloads.length === 0) return []
    if (options.idempotencyKey !== undefined && payloads.length > 1) {
      throw new EnqueueOptionError(
        'An "idempotencyKey" is for one job: enqueueMany takes it with one payload only.',
      )
    }
    const origin = await originOf(target, options)
    const rows: NewJob[] = []
    for (const payload of payloads) {
      rows.push(toNewJob(await target.toPayloadText(payload), options, target, origin))
    }
    const { store, dispatcher } = await writePath()
    return dispatch(dispatcher, rows, await store.insert(rows))
  }

  function dispatch(
    dispatcher: Dispatcher,
    rows: readonly NewJob[],
    inserted: readonly InsertedJob[],
  ): JobHandle[] {
    const deliveries: Dispatchable[] = []
    const written = rows.map((row, at) => {
      const job = inserted[at]
      if (!job) throw new StoreUnavailableError('The store answered for fewer jobs than it was given.')
      if (job.created) deliveries.push(firstDelivery(row, job))
      else assertSamePayload(row, job)
      return new Handle(
        handles,
        job.id,
        row.task,
        job.created,
        job.created ? firstStatus(row, job) : undefined,
      )
    })
    dispatcher.send(deliveries)
    for (const { queue, dueInMs } of deliveries) if (dueInMs === 0) onEnqueued(queue)
    return written
  }

  /** Owner, request id and trace context, at the moment of the enqueue. */
  function originOf(target: EnqueueTarget, options: EnqueueOptions): Origin | Promise<Origin> {
    const req = currentRequest()
    const origin = req ? readOrigin(req) : nowhere
    if (options.owner !== undefined) return { owner: checkedOwner(options.owner), ...origin }
    if (!ownerOf) return { owner: null, ...origin }
    if (!req) throw new OwnerMissingError(target.task)
    return readOwner(ownerOf, req).then((owner) => {
      if (owner === null) throw new OwnerMissingError(target.task)
      return { owner, ...origin }
    })
  }
}

const nowhere = Object.freeze({ requestId: null, traceparent: null })

function firstStatus(
  { queue, maxAttempts }: NewJob,
  { state, createdAt, dueInMs }: InsertedJob,
): FirstStatus {
  return { queue, state, maxAttempts, createdAt, dueInMs }
}

function firstDelivery({ id, task, queue, priority }: NewJob, { dueInMs }: InsertedJob): Dispatchable {
  return { jobId: id, number: 1, task, queue, priority, dueInMs }
}

function assertSamePayload(row: NewJob, existing: InsertedJob): void {
  if (existing.payload === row.payload) return
  throw new IdempotencyConflictError(row.idempotencyKey ?? '', existing.id)
}
