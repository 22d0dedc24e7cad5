import { AsyncLocalStorage } from 'node:async_hooks'
import type { Request } from 'express'
import type { Job, JobContext } from '../job/job.js'
import type { TaskContext } from '../task/define.js'
import { type TraceContext, traceOf } from '../telemetry/tracing.js'
import { readLocale } from './locale.js'
import { readValues } from './values.js'

/** What a job takes over from the request, or the job, that enqueues it. */
export interface InheritedOrigin {
  readonly requestId: string | null
  readonly traceparent: string | null
  /** JSON text of a {@link JobContext}. */
  readonly context: string | null
  readonly parentId: string | null
}

/** Says who a request belongs to: the option `owner`. */
export type OwnerOf = (req: Request) => string | null | undefined | Promise<string | null | undefined>

/** What the app says of its requests, beside their owner. */
export interface ContextRules {
  readonly localeOf: ((req: Request) => string | null | undefined) | undefined
  /** Gives values of the app's own. */
  readonly valuesOf: ((req: Request) => Readonly<Record<string, unknown>> | undefined) | undefined
}

/** What a job hands on to its children. */
type Parent = Pick<Job, 'id' | 'owner' | 'requestId' | 'traceparent' | 'context'>

/** An attempt that runs, for all that its handler starts. */
export class RunningJob {
  readonly #job: Parent
  /** `undefined` where its handler runs in a process of its own. */
  readonly context: TaskContext | undefined

  constructor(job: Parent, context: TaskContext | undefined) {
    this.#job = job
    this.context = context
  }

  get owner(): string | null {
    return this.#job.owner
  }

  get trace(): TraceContext | undefined {
    return traceOf(this.#job.traceparent, this.#job.context?.tracestate)
  }

  /** What its children take over. */
  get origin(): InheritedOrigin {
    const { id, requestId, traceparent, context } = this.#job
    return { requestId, traceparent, context: context && JSON.stringify(context), parentId: id }
  }
}

const noValues = Object.freeze({})

/** What a job took over from the request, or the job, that enqueued it: a part of its handler's context. */
export function takenOver({
  traceparent,
  context,
  parentId,
}: Pick<Job, 'traceparent' | 'context' | 'parentId'>) {
  return {
    traceparent,
    tracestate: context?.tracestate ?? null,
    locale: context?.locale ?? null,
    values: context?.values ?? noValues,
    parentId,
  }
}

// It holds no state of ours, only the way from a request, or an attempt, to the calls made inside it, so all instances
// share it. The innermost counts.
const scopes = new AsyncLocalStorage<Request | RunningJob>()

/** Runs `work` so that every enqueue inside it, awaited or not, belongs to `req`. */
export function runInRequest<T>(req: Request, work: () => T): T {
  return scopes.run(req, work)
}

/** Runs a handler so that every enqueue inside it, awaited or not, is a child of its job. */
export function runInJob<Payload, Context extends TaskContext, Result>(
  job: Parent,
  run: (payload: Payload, context: Context) => Result,
  payload: Payload,
  context: Context,
): Result {
  return scopes.run(new RunningJob(job, context), run, payload, context)
}

/** The same for what a handler asks for from a process of its own. */
export function runForJob<T>(job: Parent, work: () => T): T {
  return scopes.run(new RunningJob(job, undefined), work)
}

/** The request that this code runs for, if any. */
export function currentRequest(): Request | undefined {
  const scope = scopes.getStore()
  return scope instanceof RunningJob ? undefined : scope
}

export function currentScope(): Request | RunningJob | undefined {
  return scopes.getStore()
}

/**
 * The job that this code runs for: what its handler got as its context. For loggers and clients deep in the app, to
 * which nobody hands it down. `undefined` outside of a handler.
 */
export function currentJob(): TaskContext | undefined {
  const scope = scopes.getStore()
  return scope instanceof RunningJob ? scope.context : undefined
}

/** The trace that this code belongs to, as the request, or the job that runs, says. */
export function currentTrace(): TraceContext | undefined {
  const scope = scopes.getStore()
  if (scope instanceof RunningJob) return scope.trace
  return scope && traceOf(traceparentOf(scope), tracestateOf(scope))
}

/** An origin whose jobs belong to another trace, or to another place of the same one. */
export function withTrace<Origin extends InheritedOrigin>(
  origin: Origin,
  { traceparent, tracestate }: TraceContext,
): Origin {
  const { tracestate: _, ...others } =
    origin.context === null ? {} : (JSON.parse(origin.context) as JobContext)
  const context = tracestate === null ? others : { ...others, tracestate }
  const text = Object.keys(context).length === 0 ? null : JSON.stringify(context)
  return { ...origin, traceparent, context: text }
}

/** The owner of a request at this moment. Anything but a non-empty string is nobody. */
export async function readOwner(ownerOf: OwnerOf, req: Request): Promise<string | null> {
  const owner: unknown = await ownerOf(req)
  return typeof owner === 'string' && owner !== '' ? owner : null
}

/** Values that are not of the usual form are left out: they end up in rows and logs. */
export function readOrigin(req: Request, rules: ContextRules = noRules): InheritedOrigin {
  const traceparent = traceparentOf(req)
  return {
    requestId: requestIdOf(req),
    traceparent,
    context: contextText(
      readLocale(rules.localeOf, req),
      traceparent === null ? null : tracestateOf(req),
      rules.valuesOf && readValues(rules.valuesOf, req),
    ),
    parentId: null,
  }
}

const noRules: ContextRules = Object.freeze({ localeOf: undefined, valuesOf: undefined })

function contextText(
  locale: string | null,
  tracestate: string | null,
  values: JobContext['values'],
): string | null {
  if (locale === null && tracestate === null && values === undefined) return null
  const context: JobContext = {
    ...(locale === null ? {} : { locale }),
    ...(tracestate === null ? {} : { tracestate }),
    ...(values === undefined ? {} : { values }),
  }
  return JSON.stringify(context)
}

/** `req.id`, as pino-http and its like set it, else the header that proxies send. */
function requestIdOf(req: Request): string | null {
  const own: unknown = 'id' in req ? req.id : undefined
  const id = typeof own === 'number' ? String(own) : (own ?? req.headers['x-request-id'])
  return typeof id === 'string' && requestIdPattern.test(id) ? id : null
}

const requestIdPattern = /^[\x21-\x7e]{1,200}$/

function traceparentOf(req: Request): string | null {
  const header = req.headers.traceparent
  return typeof header === 'string' && traceparentPattern.test(header) ? header : null
}

// Later versions of the header may be longer, and must be read by their first four fields.
const traceparentPattern =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[\x21-\x7e]{0,200})?$/

/** It means nothing without a `traceparent`. */
function tracestateOf(req: Request): string | null {
  const header = req.headers.tracestate
  return typeof header === 'string' && /^[\x20-\x7e]{1,512}$/.test(header) ? header : null
}
