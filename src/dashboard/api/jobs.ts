import type { DeedOptions, Which } from '../../control/operation-plan.js'
import { ConfigError } from '../../errors.js'
import type { BulkAction, JobFilter, MatchCount } from '../../job/filter.js'
import type { Job } from '../../job/job.js'
import type { Depth } from '../../store/store.js'
import { checkKeys } from '../../task/check.js'
import type { Body } from './call.js'
import { lineOf } from './commands.js'
import type { AuditLine, JobRow, JobsPage, JobsQuery } from './contract.js'
import { allNames } from './known-tasks.js'
import { ApiError } from './problem.js'
import type { Call, Reading } from './route.js'
import { toShort } from './short.js'
import { countStates } from './states.js'

const usualLimit = 50

/** `GET /jobs?state=failed&task=…`: a page of the jobs that match. */
export async function listJobs({ deps, query }: Reading<'GET /jobs'>): Promise<JobsPage> {
  const { limit = usualLimit, cursor, sort, values = 'full', ...said } = query
  const { store } = await deps.backend()
  const page = { limit, ...(cursor === undefined ? {} : { cursor }), ...(sort === undefined ? {} : { sort }) }
  const [found, depths, registry] = await Promise.all([
    deps.search(toFilter(said), page),
    deps.insight.depths(),
    deps.tasks(),
  ])
  const names = await store.workerNames(found.jobs.flatMap(({ workerId }) => workerId ?? []))
  const tasks = said.task?.flatMap((name) => allNames(registry, name))
  const isAmong = ({ task, queue }: Depth) =>
    (tasks?.includes(task) ?? true) && (said.queue?.includes(queue) ?? true)
  const states = countStates(depths.filter(isAmong))
  return {
    jobs: found.jobs.map((job) => toRow(values === 'short' ? toShort(job) : job, names)),
    ...{ cursor: found.cursor, isCut: found.isCut, lookedTo: found.lookedTo, since: found.since },
    ...{ total: totalOf(said, states), states },
  }
}

export function toRow(job: Job, workers: ReadonlyMap<string, string>): JobRow {
  return { ...job, workerName: job.workerId === null ? null : (workers.get(job.workerId) ?? null) }
}

/** What counters know without a look at the jobs. */
const counted: readonly string[] = ['state', 'task', 'queue'] satisfies (keyof JobsQuery)[]

function totalOf(said: JobsQuery, states: JobsPage['states']): number | null {
  if (Object.keys(said).some((name) => !counted.includes(name))) return null
  const wanted = said.state ?? Object.keys(states)
  return Object.entries(states).reduce(
    (sum, [state, jobs]) => sum + (wanted.some((each) => each === state) ? jobs : 0),
    0,
  )
}

const usualMost = 10_000

/** `GET /job-count?…`: how many match, as far as two seconds tell. */
export async function countJobs({ deps, query }: Reading<'GET /job-count'>): Promise<MatchCount> {
  const { most = usualMost, ...said } = query
  return deps.count(toFilter(said), most)
}

/** What the address says is checked where it is used. */
export function toFilter(said: JobsQuery): JobFilter {
  return said as JobFilter
}

interface Action {
  /** What its body has, beside which jobs are meant. */
  readonly arguments: readonly string[]
  readonly options?: (body: Body) => DeedOptions
}

/** What may be done with jobs. What the values must be, the operation checks. */
export const actions: Readonly<Record<BulkAction, Action>> = Object.freeze({
  cancel: {
    arguments: ['reason'],
    options: ({ reason }) => (reason === undefined ? {} : { reason: reason as string }),
  },
  retry: { arguments: [] },
  delete: { arguments: [] },
  promote: { arguments: [] },
  move: {
    arguments: ['queue', 'priority'],
    options: ({ queue, priority }) => ({
      to: {
        ...(queue === undefined ? {} : { queue: queue as string }),
        ...(priority === undefined ? {} : { priority: priority as number }),
      },
    }),
  },
} satisfies Record<BulkAction, Action>)

function isAction(name: string): name is BulkAction {
  return Object.hasOwn(actions, name)
}

/** Most are done by then; who asks for a hundred thousand looks how far they are. */
const waitMs = 2000

/** `POST /jobs/:action`, for those that the body means. */
export async function actOnJobs({
  deps,
  visitor,
  from,
  params,
  body,
}: Call<'POST /jobs/:action'>): Promise<AuditLine> {
  const { action } = params
  if (!isAction(action)) throw unknownAction(action)
  const { arguments: own, options } = actions[action]
  checkKeys(body, [...own, 'ids', 'filter'], `The body of "${action}"`)
  const asked = { ...options?.(body), by: visitor.by, from }
  const { id } = await deps.operations.start(action, whichOf(body), asked)
  await deps.operations.ended(id, waitMs)
  return lineOf(deps, id)
}

/** Nobody means all jobs by saying nothing. */
function whichOf({ ids, filter }: Body): Which {
  if ((ids === undefined) === (filter === undefined))
    throw new ConfigError('The body must have either "ids", a list, or "filter", an object as for GET /jobs.')
  if (ids !== undefined) {
    if (Array.isArray(ids)) return ids as readonly string[]
    throw new ConfigError('"ids" must be a list of ids.')
  }
  if (typeof filter === 'object' && filter !== null && Object.keys(filter).length > 0)
    return filter as JobFilter
  throw new ConfigError('"filter" must say something of the jobs that are meant: { "state": "failed" }.')
}

function unknownAction(name: string): ApiError {
  const known = Object.keys(actions).join(', ')
  return new ApiError(404, 'UNKNOWN_ACTION', `There is no "${name.slice(0, 100)}" for jobs. Known: ${known}.`)
}
