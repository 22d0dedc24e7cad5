import {
  EnqueueOptionError,
  IdempotencyConflictError,
  OwnerMissingError,
  StoreUnavailableError,
} from '../errors.js'
import type { EnqueueOptions, JobHandle } from '../job/job.js'
import type { InsertedJob, NewJob, Store } from '../store/store.js'
import type { Backpressure } from './backpressure.js'
import { currentRequest, type OwnerOf, readOrigin, readOwner } from './context.js'
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
  readonly store: Pick<Store, 'insert' | 'insertIn'>
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
  /** Asked for what requests enqueue. */
  readonly backpressure: Backpressure | undefined
}

/**
 * The write path: validate → look for room, for a request → commit the row → return the handle. What was committed is sent behind the caller's back.
 *
 * `enqueue` resolves once the row is committed, whatever becomes of the broker; with `tx`, once it is written, and the
 * commit is the caller's.
 */
export function createEnqueuer({ writePath, handles, hold, ownerOf, backpressure }: EnqueuerDeps): Enqueuer {
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
      const { store } = path instanceof Promise ? await path : path
      const [inserted] = await (backpressure && currentRequest()
        ? writeForRequest(backpressure, store, [row], options)
        : write(store, [row], options))
      return toHandle(row, inserted)
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
    const { store } = await writePath()
    const inserted = await (backpressure && currentRequest()
      ? writeForRequest(backpressure, store, rows, options)
      : write(store, rows, options))
    return rows.map((row, at) => toHandle(row, inserted[at]))
  }

  function toHandle(row: NewJob, job: InsertedJob | undefined): JobHandle {
    if (!job) throw new StoreUnavailableError('The store answered for fewer jobs than it was given.')
    if (!job.created) assertSamePayload(row, job)
    return new Handle(handles, job.id, row.task, job.created, job.created ? firstStatus(row, job) : undefined)
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

function write(
  store: WritePath['store'],
  rows: readonly NewJob[],
  { tx }: EnqueueOptions,
): Promise<InsertedJob[]> {
  return tx ? store.insertIn(tx, rows) : store.insert(rows)
}

/** Rows of one call have their queue and owner in common. */
async function writeForRequest(
  backpressure: Backpressure,
  store: WritePath['store'],
  rows: readonly NewJob[],
  options: EnqueueOptions,
): Promise<InsertedJob[]> {
  const [first] = rows
  if (!first) return []
  const place = await backpressure.enter(first, rows.length)
  try {
    return await write(store, rows, options)
  } finally {
    place.leave()
  }
}

const nowhere = Object.freeze({ requestId: null, traceparent: null })

function firstStatus(
  { queue, maxAttempts }: NewJob,
  { state, createdAt, dueInMs }: InsertedJob,
): FirstStatus {
  return { queue, state, maxAttempts, createdAt, dueInMs }
}

function assertSamePayload(row: NewJob, existing: InsertedJob): void {
  if (existing.payload === row.payload) return
  throw new IdempotencyConflictError(row.idempotencyKey ?? '', existing.id)
}
