import { ConfigError } from '../../errors.js'
import type { Job } from '../../job/job.js'
import { isEnd } from '../../job/state.js'
import type { DashboardDeps } from '../dashboard.js'
import type { AnswerOf, JobPage, Relative } from './contract.js'
import { toRow } from './jobs.js'
import { ApiError } from './problem.js'
import type { Call, Reading } from './route.js'

const mostChildren = 100

/** `GET /jobs/:id`: everything that is known of a job. */
export async function showJob({ deps, params }: Reading<'GET /jobs/:id'>): Promise<JobPage> {
  const job = await found(deps, params.id)
  const { store } = await deps.backend()
  const [names, children, parent, status] = await Promise.all([
    store.workerNames(workersOf(job)),
    deps.search({ parent: job.id }, { limit: mostChildren, sort: 'oldest' }),
    job.parentId === null ? undefined : deps.find(job.parentId),
    deps.toStatus(job),
  ])
  return {
    job: toRow(job, names),
    waitingFor: isEnd(job.state) ? null : (status.waitingFor ?? null),
    workers: Object.fromEntries(names),
    parent: parent ? toRelative(parent) : null,
    children: children.jobs.map(toRelative),
    hasMoreChildren: children.cursor !== null,
    isRedacted: (job.options.redact?.length ?? 0) > 0,
  }
}

/** @throws {ApiError} when there is none */
export async function found(deps: DashboardDeps, id: string): Promise<Job> {
  const job = await deps.find(id)
  if (job) return job
  throw jobNotFound()
}

export function jobNotFound(): ApiError {
  return new ApiError(
    404,
    'JOB_NOT_FOUND',
    'There is no such job. Finished ones go after a while (see "retain").',
  )
}

/** Of all its attempts. */
function workersOf({ workerId, attempts }: Job): string[] {
  return [...new Set([workerId, ...attempts.map(({ worker }) => worker)].flatMap((id) => id ?? []))]
}

function toRelative({ id, task, state }: Job): Relative {
  return { id, task, state }
}

const usualLines = 200

/** `GET /jobs/:id/logs`: what its attempts have logged; the last lines, or those after one. */
export async function showLogs({
  deps,
  params,
  query,
}: Reading<'GET /jobs/:id/logs'>): Promise<AnswerOf<'GET /jobs/:id/logs'>> {
  const { limit = usualLines, after, before } = query
  if (after !== undefined && before !== undefined)
    throw new ConfigError('Say "after" or "before", and not both: lines are read in one direction.')
  const { id } = await found(deps, params.id)
  const { store } = await deps.backend()
  const lines = await (after === undefined
    ? store.lastLogs(id, limit + 1, before)
    : store.listLogs(id, after, limit + 1))
  const hasMore = lines.length > limit
  return { lines: after === undefined ? lines.slice(-limit) : lines.slice(0, limit), hasMore }
}

/** Seconds. A proxy in between gives up after a minute or so. */
export const longestWait = 25

/** `GET /jobs/:id/result`: what it returned, or how it stands. Waits for its end, if asked to. */
export async function showResult({
  deps,
  params,
  query,
  signal,
}: Call<'GET /jobs/:id/result'>): Promise<AnswerOf<'GET /jobs/:id/result'>> {
  const { wait = 0 } = query
  const job = await found(deps, params.id)
  if (wait === 0 || isEnd(job.state)) return toResult(job)
  await deps.ended(job.id, wait * 1000, signal)
  return toResult(await found(deps, job.id))
}

function toResult({ state, result, resultError, error }: Job): AnswerOf<'GET /jobs/:id/result'> {
  if (resultError !== null) return { state, error: { name: 'ResultLostError', message: resultError } }
  if (state === 'succeeded') return { state, result }
  return error ? { state, error: { name: error.name, message: error.message } } : { state }
}
