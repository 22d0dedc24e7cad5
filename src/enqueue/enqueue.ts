import {
  EnqueueOptionError,
  IdempotencyConflictError,
  OwnerMissingError,
  SchemaTimeoutError,
  StoreUnavailableError,
} from '../errors.js'
import type { Values } from '../job/codec.js'
import type {
  EnqueuedStream,
  EnqueueOptions,
  EnqueueStreamOptions,
  JobHandle,
  JobOptions,
} from '../job/job.js'
import { redactText } from '../job/redact.js'
import type { InsertedJob, NewJob, Store } from '../store/store.js'
import type { CheckedPayload } from '../task/payload.js'
import type { EnqueueSpan, Tracing } from '../telemetry/tracing.js'
import { answerWithin } from '../waiting.js'
import type { Backpressure } from './backpressure.js'
import {
  type ContextRules,
  currentRequest,
  currentScope,
  currentTrace,
  type InheritedOrigin,
  type OwnerOf,
  RunningJob,
  readOrigin,
  readOwner,
  withTrace,
} from './context.js'
import { type FirstStatus, Handle, type HandleHost } from './handle.js'
import type { Hold } from './hold.js'
import { checkedOwner, type JobDefaults, type Origin, toNewJob } from './job-row.js'
import { enqueueStream, type Source } from './stream.js'

/** What the write path needs to know of a task. */
export interface EnqueueTarget extends JobDefaults {
  /** Checks a payload. */
  toPayload(payload: unknown): CheckedPayload | Promise<CheckedPayload>
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
  /** Chunk by chunk, each a transaction: for any number of payloads. */
  enqueueStream(
    target: EnqueueTarget,
    source: Source,
    options?: EnqueueStreamOptions,
  ): Promise<EnqueuedStream>
}

export interface EnqueuerDeps {
  /** Waits for it, within the deadline. */
  readonly writePath: () => WritePath | Promise<WritePath>
  readonly handles: HandleHost
  readonly hold: Hold
  readonly ownerOf: OwnerOf | undefined
  readonly contextRules?: ContextRules
  /** How long an asynchronous schema has to answer. */
  readonly deadlineMs?: number
  readonly values: Values
  /** Asked for what requests enqueue. */
  readonly backpressure: Backpressure | undefined
  /** Makes spans. Without it, jobs keep the trace of their request. */
  readonly tracing?: Tracing | undefined
}

/**
 * The write path: validate → look for room, for a request → commit the row → return the handle. What was committed is sent behind the caller's back.
 *
 * `enqueue` resolves once the row is committed, whatever becomes of the broker; with `tx`, once it is written, and the
 * commit is the caller's.
 */
export function createEnqueuer({
  writePath,
  handles,
  hold,
  ownerOf,
  contextRules,
  deadlineMs,
  backpressure,
  values,
  tracing,
}: EnqueuerDeps): Enqueuer {
  return {
    enqueue: tracing
      ? (target, payload, options) =>
          tracing.enqueue(told(target, options, false), currentTrace(), (span) =>
            enqueue(target, payload, options, span),
          )
      : enqueue,
    enqueueMany: (target, payloads, options = {}) =>
      hold.during(traced(target, options, (span) => enqueueMany(target, payloads, options, span))),
    enqueueStream: (target, source, options = {}) =>
      hold.during(traced(target, options, (span) => enqueueAll(target, source, options, span))),
  }

  function traced<T>(
    target: EnqueueTarget,
    options: EnqueueOptions,
    write: (span?: EnqueueSpan) => Promise<T>,
  ): Promise<T> {
    return tracing ? tracing.enqueue(told(target, options, true), currentTrace(), write) : write()
  }

  // Where nothing needs to be waited for, nothing is: each promise costs about as much as a small payload's check.
  async function enqueue(
    target: EnqueueTarget,
    payload: unknown,
    options: EnqueueOptions = {},
    span?: EnqueueSpan,
  ): Promise<JobHandle> {
    hold.enter()
    try {
      const asked = originOf(target, options)
      const origin = inSpan(asked instanceof Promise ? await asked : asked, span)
      const checking = target.toPayload(payload)
      const checked = checking instanceof Promise ? await inTime(target, checking) : checking
      const row = toNewJob(checked, options, target, origin)
      const path = writePath()
      const { store } = path instanceof Promise ? await path : path
      const [inserted] = await (backpressure && currentRequest()
        ? writeForRequest(backpressure, store, [row], options)
        : write(store, [row], options))
      if (span) tellWritten(span, [row], inserted ? [inserted] : [])
      return toHandle(row, inserted)
    } finally {
      hold.leave()
    }
  }

  /** A schema that asks somebody else may never hear of him. */
  function inTime(
    { task }: EnqueueTarget,
    checking: CheckedPayload | Promise<CheckedPayload>,
  ): CheckedPayload | Promise<CheckedPayload> {
    if (!(checking instanceof Promise) || deadlineMs === undefined) return checking
    return answerWithin(deadlineMs, checking, () => new SchemaTimeoutError(task, deadlineMs))
  }

  async function enqueueMany(
    target: EnqueueTarget,
    payloads: readonly unknown[],
    options: EnqueueOptions,
    span?: EnqueueSpan,
  ): Promise<JobHandle[]> {
    if (payloads.length === 0) return []
    if (options.idempotencyKey !== undefined && payloads.length > 1) {
      throw new EnqueueOptionError(keyForMany)
    }
    const origin = inSpan(await originOf(target, options), span)
    const rows: NewJob[] = []
    for (const payload of payloads) {
      rows.push(toNewJob(await inTime(target, target.toPayload(payload)), options, target, origin))
    }
    return commit(rows, options, span)
  }

  async function enqueueAll(
    target: EnqueueTarget,
    source: Source,
    { onChunk, ...options }: EnqueueStreamOptions,
    span?: EnqueueSpan,
  ): Promise<EnqueuedStream> {
    assertStream(source, options)
    const origin = inSpan(await originOf(target, options), span)
    return enqueueStream<NewJob>(source, {
      toRow(payload) {
        const checked = target.toPayload(payload)
        return checked instanceof Promise
          ? Promise.resolve(inTime(target, checked)).then((known) => toNewJob(known, options, target, origin))
          : toNewJob(checked, options, target, origin)
      },
      sizeOf: ({ payload }) => payload.length,
      write: (rows) => commit(rows, options, span),
      onChunk,
    })
  }

  async function commit(
    rows: readonly NewJob[],
    options: EnqueueOptions,
    span: EnqueueSpan | undefined,
  ): Promise<JobHandle[]> {
    const { store } = await writePath()
    const inserted = await (backpressure && currentRequest()
      ? writeForRequest(backpressure, store, rows, options)
      : write(store, rows, options))
    if (span) tellWritten(span, rows, inserted)
    return rows.map((row, at) => toHandle(row, inserted[at]))
  }

  function toHandle(row: NewJob, job: InsertedJob | undefined): JobHandle {
    if (!job) throw new StoreUnavailableError('The store answered for fewer jobs than it was given.')
    if (!job.created) assertSamePayload(values, row, job)
    return new Handle(handles, job.id, row.task, job.created, job.created ? firstStatus(row, job) : undefined)
  }

  /** Owner, request id, trace and the like, at the moment of the enqueue: of the request, or of the job that runs. */
  function originOf(target: EnqueueTarget, options: EnqueueOptions): Origin | Promise<Origin> {
    const scope = currentScope()
    if (scope instanceof RunningJob) return originInJob(scope, options)
    const inherited = scope ? readOrigin(scope, contextRules) : nowhere
    if (options.owner !== undefined) return { ...inherited, owner: checkedOwner(options.owner) }
    if (!ownerOf) return { ...inherited, owner: null }
    if (!scope) throw new OwnerMissingError(target.task)
    return readOwner(ownerOf, scope).then((owner) => {
      if (owner === null) throw new OwnerMissingError(target.task)
      return { ...inherited, owner }
    })
  }
}

function told({ task, queue }: EnqueueTarget, options: EnqueueOptions | undefined, isMany: boolean) {
  return { task, queue: options?.queue ?? queue, isMany }
}

/** The jobs belong to the span of their enqueue. */
function inSpan(origin: Origin, span: EnqueueSpan | undefined): Origin {
  return span?.trace ? withTrace(origin, span.trace) : origin
}

function tellWritten(span: EnqueueSpan, rows: readonly NewJob[], inserted: readonly InsertedJob[]): void {
  span.wrote(
    inserted.map(({ id, created }, at) => ({
      ...{ id, isNew: created },
      requestId: rows[at]?.requestId ?? null,
      parentId: rows[at]?.parentId ?? null,
    })),
  )
}

/** A child belongs to whom its parent belongs to. */
function originInJob(job: RunningJob, { owner }: EnqueueOptions): Origin {
  return { ...job.origin, owner: owner === undefined ? job.owner : checkedOwner(owner) }
}

function assertStream(source: unknown, options: EnqueueOptions): void {
  if (options.idempotencyKey !== undefined) throw new EnqueueOptionError(keyForMany)
  const isStream =
    typeof source === 'object' &&
    source !== null &&
    (Symbol.iterator in source || Symbol.asyncIterator in source)
  if (isStream) return
  throw new EnqueueOptionError(
    `enqueueMany takes a list of payloads, or a source of them that is iterable. It got ${source === null ? 'null' : `a ${typeof source}`}.`,
  )
}

const keyForMany = 'An "idempotencyKey" is for one job: enqueueMany takes it with one payload only.'

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

const nowhere: InheritedOrigin = Object.freeze({
  requestId: null,
  traceparent: null,
  context: null,
  parentId: null,
})

function firstStatus(
  { queue, maxAttempts }: NewJob,
  { state, createdAt, dueInMs }: InsertedJob,
): FirstStatus {
  return { queue, state, maxAttempts, createdAt, dueInMs }
}

/** As the row has it when its job has succeeded. */
function withoutSecrets(values: Values, { options, payload }: NewJob): string | undefined {
  const { redact = [] } = JSON.parse(options ?? '{}') as JobOptions
  return redactText(values, redact, 'payload', payload)
}

/** A job that was found by what its task keeps unique may have another payload. */
function assertSamePayload(
  values: Values,
  row: NewJob,
  { id, payload = null, conflicts = false }: InsertedJob,
): void {
  const isSame = payload === null || payload === row.payload || payload === withoutSecrets(values, row)
  if (isSame && !conflicts) return
  throw new IdempotencyConflictError(row.idempotencyKey ?? '', id)
}
