/** Where in a trace something belongs, as W3C Trace Context writes it. */
export interface TraceContext {
  readonly traceparent: string
  readonly tracestate: string | null
}

/**
 * What the option `tracing` takes: who makes spans of enqueues and attempts. `openTelemetry()` of
 * `celeriac/opentelemetry` gives one. None of its functions may throw.
 */
export interface Tracing {
  /**
   * Runs `write`, which enqueues, in a span of its own.
   * @param inherited of the request, or of the job that runs; it counts where no span is active
   */
  enqueue<T>(
    told: EnqueueTold,
    inherited: TraceContext | undefined,
    write: (span: EnqueueSpan) => Promise<T>,
  ): Promise<T>
  /**
   * Begins the span of an attempt.
   * @param kept with the job when it was enqueued
   */
  attempt(told: AttemptTold, kept: TraceContext | undefined): AttemptSpan
  /** Runs a handler inside the span of its attempt, which another thread or process of the worker has begun. */
  inside<T>(trace: TraceContext, work: () => T): T
}

export interface EnqueueTold {
  readonly task: string
  readonly queue: string
  /** Whether it is `enqueueMany`: one span for all. */
  readonly isMany: boolean
}

export interface EnqueueSpan {
  /** Kept with the jobs. `undefined`: they keep what they inherit. */
  readonly trace: TraceContext | undefined
  /** The jobs are committed, or written in the caller's transaction. A stream tells of each chunk. */
  wrote(jobs: readonly WrittenJob[]): void
}

export interface WrittenJob {
  readonly id: string
  readonly requestId: string | null
  readonly parentId: string | null
  /** `false`: it was there already, under its key. */
  readonly isNew: boolean
}

export interface AttemptTold {
  readonly id: string
  readonly task: string
  readonly queue: string
  /** 1 for the first. */
  readonly attempt: number
  readonly maxAttempts: number
  readonly requestId: string | null
  readonly parentId: string | null
  readonly pool: string
  /** The worker's id. */
  readonly worker: string
}

export interface AttemptSpan {
  /** What the handler hands on; `undefined`: what the job has kept. */
  readonly trace: TraceContext | undefined
  run<T>(work: () => T): T
  end(outcome: AttemptOutcome): void
}

export interface AttemptOutcome {
  /** `succeeded`, `retrying`, `snoozed`, `failed`, `cancelled` or `returned`. */
  readonly state: string
  readonly error?: { readonly name: string; readonly message: string; readonly stack?: string } | null
}

/** What a job has kept of a trace. */
export function traceOf(
  traceparent: string | null,
  tracestate: string | null | undefined,
): TraceContext | undefined {
  return traceparent === null ? undefined : { traceparent, tracestate: tracestate ?? null }
}
