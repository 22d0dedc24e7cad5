import {
  type Context,
  createTraceState,
  isSpanContextValid,
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  trace,
} from '@opentelemetry/api'
import type { TraceContext } from '../telemetry/tracing.js'

// Of later versions of the header, too, these four fields are the first.
const fields = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/

/** `undefined` where it is none. */
export function toSpanContext({ traceparent, tracestate }: TraceContext): SpanContext | undefined {
  const [, traceId = '', spanId = '', flags = ''] = fields.exec(traceparent) ?? []
  const found: SpanContext = {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags, 16) & 1,
    isRemote: true,
    ...(tracestate === null ? {} : { traceState: createTraceState(tracestate) }),
  }
  return isSpanContextValid(found) ? found : undefined
}

/** A context whose spans are children of what was kept; without that, they begin a trace. */
export function contextOf(kept: SpanContext | undefined): Context {
  return kept ? trace.setSpanContext(ROOT_CONTEXT, kept) : ROOT_CONTEXT
}

/** `undefined` where nobody makes spans, and none came in. */
export function toTraceContext(span: Span): TraceContext | undefined {
  const { traceId, spanId, traceFlags, traceState } = span.spanContext()
  if (!isSpanContextValid(span.spanContext())) return undefined
  const flags = (traceFlags & 1) === 1 ? '01' : '00'
  return { traceparent: `00-${traceId}-${spanId}-${flags}`, tracestate: kept(traceState?.serialize()) }
}

/** As much as a row takes. */
function kept(tracestate: string | undefined): string | null {
  return tracestate !== undefined && /^[\x20-\x7e]{1,512}$/.test(tracestate) ? tracestate : null
}
