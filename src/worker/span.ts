import type { ClaimedJob } from '../store/store.js'
import { type AttemptSpan, type Tracing, traceOf } from '../telemetry/tracing.js'
import type { RunnableTask } from './attempt.js'

/** Begins the span of an attempt, where the trace of its enqueue went on. */
export function beginSpan(
  tracing: Tracing,
  job: ClaimedJob,
  { name, pool }: Pick<RunnableTask, 'name' | 'pool'>,
  worker: string,
): AttemptSpan {
  const { id, queue, attempt, maxAttempts, requestId, parentId } = job
  return tracing.attempt(
    { id, task: name, queue, attempt, maxAttempts, requestId, parentId, pool, worker },
    traceOf(job.traceparent, job.context?.tracestate),
  )
}

/** The job as its handler sees it: what it hands on belongs to the attempt's span. */
export function inSpan(job: ClaimedJob, { trace }: AttemptSpan): ClaimedJob {
  if (!trace) return job
  const { tracestate: _, ...others } = job.context ?? {}
  const { traceparent, tracestate } = trace
  const context = tracestate === null ? others : { ...others, tracestate }
  return { ...job, traceparent, context: Object.keys(context).length === 0 ? null : context }
}
