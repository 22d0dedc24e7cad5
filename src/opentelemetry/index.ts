/** Celeriac's spans for OpenTelemetry: `tracing: openTelemetry()` in the configuration. */
export type { OpenTelemetryOptions } from './tracing.js'
export { openTelemetry } from './tracing.js'
