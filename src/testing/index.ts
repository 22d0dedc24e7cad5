/** What apps import in their own tests. */

export type { TestClock } from './clock.js'
export type { TestContext } from './context.js'
// Call a handler alone.
export { createTestContext } from './context.js'
export type { Drained, DrainOptions } from './drain.js'
export type { EnqueuedJob, Expectations, ExpectedOptions, ExpectedPayload } from './enqueued.js'
export type { TestJobs, TestJobsOptions } from './jobs.js'
// Run the whole path without a server.
export { createTestJobs } from './jobs.js'
