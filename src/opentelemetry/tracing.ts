import {
  type Attributes,
  context,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api'
import type {
  AttemptOutcome,
  AttemptSpan,
  AttemptTold,
  EnqueueTold,
  TraceContext,
  Tracing,
  WrittenJob,
} from '../telemetry/tracing.js'
import { version } from '../version.js'
import { contextOf, toSpanContext, toTraceContext } from './trace-context.js'

export interface OpenTelemetryOptions {
  /** Who makes the spans. Default: the one that the app's SDK has registered. */
  readonly tracerProvider?: TracerProvider
}

/**
 * Makes spans of enqueues and attempts, by the semantic conventions of messaging.
 *
 * An enqueue is a producer span, a child of the span that is active there, else of the request's `traceparent`. Each
 * attempt is a consumer span, a child of its job's enqueue and linked to it, and active in the handler: what the handler
 * calls and enqueues are its children. Without an SDK it makes nothing. See `docs/tracing.md`.
 */
export function openTelemetry({ tracerProvider }: OpenTelemetryOptions = {}): Tracing {
  // Asked for each time: the SDK may be started later than this is called.
  const tracer = (): Tracer => (tracerProvider ?? trace).getTracer('celeriac', version)

  return {
    async enqueue(told, inherited, write) {
      const parent = trace.getSpan(context.active()) ? context.active() : contextOf(inheritedOf(inherited))
      const name = `enqueue ${told.task}`
      const span = tracer().startSpan(name, { kind: SpanKind.PRODUCER, attributes: enqueued(told) }, parent)
      let count = 0
      const wrote = (jobs: readonly WrittenJob[]) => {
        count += jobs.length
        span.setAttributes(told.isMany ? { 'messaging.batch.message_count': count } : written(jobs[0]))
      }
      try {
        const kept = toTraceContext(span)
        return await context.with(trace.setSpan(parent, span), () => write({ trace: kept, wrote }))
      } catch (error) {
        noteError(span, toError(error))
        throw error
      } finally {
        span.end()
      }
    },
    attempt: (told, kept) => startAttempt(tracer(), told, kept),
    inside(given, work) {
      return context.with(contextOf(toSpanContext(given)), work)
    },
  }
}

function inheritedOf(inherited: TraceContext | undefined) {
  return inherited && toSpanContext(inherited)
}

function startAttempt(tracer: Tracer, told: AttemptTold, kept: TraceContext | undefined): AttemptSpan {
  const creation = inheritedOf(kept)
  const parent = contextOf(creation)
  const span = tracer.startSpan(
    `run ${told.task}`,
    {
      kind: SpanKind.CONSUMER,
      attributes: attempted(told),
      links: creation ? [{ context: creation }] : [],
    },
    parent,
  )
  const active = trace.setSpan(parent, span)
  return {
    trace: toTraceContext(span),
    run: (work) => context.with(active, work),
    end(outcome) {
      noteOutcome(span, outcome)
      span.end()
    },
  }
}

function enqueued({ task, queue }: EnqueueTold): Attributes {
  return {
    'messaging.system': 'celeriac',
    'messaging.operation.name': 'enqueue',
    'messaging.operation.type': 'send',
    'messaging.destination.name': queue,
    'celeriac.task': task,
  }
}

function written(job: WrittenJob | undefined): Attributes {
  if (!job) return {}
  return { ...identity(job), ...(job.isNew ? {} : { 'celeriac.job.created': false }) }
}

function attempted(told: AttemptTold): Attributes {
  return {
    'messaging.system': 'celeriac',
    'messaging.operation.name': 'run',
    'messaging.operation.type': 'process',
    'messaging.destination.name': told.queue,
    'messaging.client.id': told.worker,
    'celeriac.task': told.task,
    'celeriac.attempt': told.attempt,
    'celeriac.max_attempts': told.maxAttempts,
    'celeriac.pool': told.pool,
    ...identity(told),
  }
}

function identity({
  id,
  requestId,
  parentId,
}: Pick<WrittenJob, 'id' | 'requestId' | 'parentId'>): Attributes {
  return {
    'messaging.message.id': id,
    ...(requestId === null ? {} : { 'messaging.message.conversation_id': requestId }),
    ...(parentId === null ? {} : { 'celeriac.parent_id': parentId }),
  }
}

/** What a task did on purpose is no error of the trace: a cancel, a snooze, a worker that stops. */
function noteOutcome(span: Span, { state, error }: AttemptOutcome): void {
  span.setAttribute('celeriac.state', state)
  if (error && (state === 'failed' || state === 'retrying')) noteError(span, error)
}

function noteError(span: Span, error: NonNullable<AttemptOutcome['error']>): void {
  span.recordException(error)
  span.setAttribute('error.type', error.name)
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
