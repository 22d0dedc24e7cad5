/** Celeriac: background jobs for Express. */

export type { DashboardOptions, OidcOptions } from './config/dashboard-options.js'
// Say the options, in celeriac.config.ts.
export { defineConfig } from './config/define.js'
export type { CeleriacOptions, LogLevel, QueueLimitOptions, WorkerOptions } from './config/options.js'
export type { DashboardAccess, DashboardAction, DashboardRole } from './control/access.js'
export type { Bulk, BulkAnswer, BulkOptions, BulkProgress, Which } from './control/bulk.js'
export type { Export, ExportOptions, ExportProgress } from './control/export.js'
export type { ExportColumn } from './control/export-columns.js'
export type { ExportFormat } from './control/export-format.js'
export type { Asker, Operation, OperationOptions, Operations } from './control/operations.js'
export type { ClusterProblem, ClusterStatus, QueueStatus, WorkerStatus } from './control/status.js'
// Know the job that runs, deep in the app.
export { currentJob } from './enqueue/context.js'
export type { LimitScope, LimitStatus, Limits } from './enqueue/limits.js'
// Tell errors apart, by class or by `code`.
export * from './errors.js'
export type { AcceptOptions } from './http/accept.js'
export type { RequestEnqueue } from './http/middleware.js'
export type { Codec } from './job/codec.js'
export type { Duration } from './job/duration.js'
export type { ErrorClass, ErrorMatch } from './job/error-match.js'
export type { EventsOptions, JobEvent, JobLogLevel, JobLogLine, LogsOptions } from './job/event.js'
export type { JobFacts, JobRef } from './job/facts.js'
export type {
  BulkOutcome,
  FoundJobs,
  JobFilter,
  MatchCount,
  Moment,
  SearchPage,
  SortOrder,
} from './job/filter.js'
export type {
  Backoff,
  BackoffFunction,
  CancelAnswer,
  EnqueuedChunk,
  EnqueuedStream,
  EnqueueOptions,
  EnqueueStreamOptions,
  JobHandle,
  JobStatus,
  StoredError,
  TaskBackoff,
} from './job/job.js'
export type { Concurrency, LimitsOptions, Rate, RateLimit } from './job/limit.js'
export type { RedactedPath } from './job/redact.js'
export type { Retain, RetainOptions } from './job/retain.js'
export type { EndState, JobState } from './job/state.js'
export type { TimeLimit } from './job/time-limit.js'
// Enqueue and complete inside your own transactions.
export type { SqlClient, Transaction } from './job/transaction.js'
export type { DebounceOptions, ThrottleOptions, UniqueOptions } from './job/unique.js'
// Bring the tables up to date, from a deploy script.
export { migrate } from './migrate.js'
export type { Celeriac } from './plugin.js'
// Mount the middleware, in app.ts.
export { celeriac } from './plugin.js'
export type { CheckedTask, Task, TaskContext, TaskLog } from './task/define.js'
// Define tasks, in a module's tasks.ts.
export { defineTask } from './task/define.js'
export type {
  CancelEvent,
  EndEvent,
  FailureEvent,
  JobHooks,
  RetryEvent,
  StartEvent,
  SuccessEvent,
  TaskHooks,
} from './task/hooks.js'
// Type calls by name.
export type { Register, TaskName } from './task/names.js'
export type { PoolKind, TaskPolicy } from './task/policy.js'
export type { EventName, Events, Listener } from './telemetry/events.js'
export { eventNames } from './telemetry/events.js'

export type { Health, ServerHealth } from './telemetry/health.js'
export type { HealthCode, HealthReason, Readiness } from './telemetry/readiness.js'
// Make spans by something else than `celeriac/opentelemetry`.
export type {
  AttemptOutcome,
  AttemptSpan,
  AttemptTold,
  EnqueueSpan,
  EnqueueTold,
  TraceContext,
  Tracing,
  WrittenJob,
} from './telemetry/tracing.js'
export { version } from './version.js'
