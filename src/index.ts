/** Celeriac: background jobs for Express. */

// Say the options, in celeriac.config.ts.
export { defineConfig } from './config/define.js'
export type { CeleriacOptions, LogLevel, QueueLimitOptions, WorkerOptions } from './config/options.js'
// Tell errors apart, by class or by `code`.
export * from './errors.js'
export type { AcceptOptions } from './http/accept.js'
export type { RequestEnqueue } from './http/middleware.js'
export type { Duration } from './job/duration.js'
export type { Backoff, CancelAnswer, EnqueueOptions, JobHandle, JobStatus } from './job/job.js'
export type { Retain, RetainOptions } from './job/retain.js'
export type { EndState, JobState } from './job/state.js'
// Enqueue and complete inside your own transactions.
export type { SqlClient, Transaction } from './job/transaction.js'
// Bring the tables up to date, from a deploy script.
export { migrate } from './migrate.js'
export type { Celeriac } from './plugin.js'
// Mount the middleware, in app.ts.
export { celeriac } from './plugin.js'
export type { CheckedTask, Task, TaskContext, TaskLog, TaskPolicy } from './task/define.js'
// Define tasks, in a module's tasks.ts.
export { defineTask } from './task/define.js'

export type { Health, ServerHealth } from './telemetry/health.js'
export { version } from './version.js'
