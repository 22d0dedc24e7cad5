import type { Request } from 'express'
import type { Bulk, BulkAnswer, BulkOptions, Which } from '../../control/bulk.js'
import { ConfigError } from '../../errors.js'
import type { BulkAction, JobFilter, SearchPage } from '../../job/filter.js'
import { checkKeys, checkText } from '../../task/check.js'
import type { DashboardAction } from '../access.js'
import { type ApiCall, type Body, type Query, readBody, toAskOptions, toCount } from './call.js'
import { ApiError } from './problem.js'

/** Of which an address may name several. */
const lists = ['id', 'state', 'task', 'queue', 'worker', 'owner', 'tag'] as const
const texts = [
  ...(['parent', 'createdAfter', 'createdBefore', 'startedAfter', 'startedBefore'] as const),
  ...([
    'finishedAfter',
    'finishedBefore',
    'minDuration',
    'maxDuration',
    'errorName',
    'error',
    'text',
  ] as const),
]
const filterNames = [...lists, ...texts, 'minAttempts']

/** `GET /jobs?state=failed&task=…`: a page of the jobs that match. */
export async function listJobs({ deps, query }: ApiCall) {
  query.only([...filterNames, 'limit', 'cursor', 'sort'])
  const [cursor, sort] = [query.get('cursor'), query.get('sort')]
  return deps.search(filterOf(query), {
    limit: toCount(query.get('limit'), '"limit"', 50, 1000),
    ...(cursor === undefined ? {} : { cursor }),
    ...(sort === undefined ? {} : { sort: sort as NonNullable<SearchPage['sort']> }),
  })
}

const mostCounted = 1_000_000

/** `GET /job-count?…`: how many match, as far as two seconds tell. */
export async function countJobs({ deps, query }: ApiCall) {
  query.only(filterNames)
  return deps.count(filterOf(query), mostCounted)
}

/** `GET /jobs/:id`: everything that is known of a job. */
export async function showJob({ deps, query, name }: ApiCall) {
  query.only([])
  const job = await deps.find(name)
  if (job) return job
  throw new ApiError(
    404,
    'JOB_NOT_FOUND',
    'There is no such job. Finished ones go after a while (see "retain").',
  )
}

/** What the address says is checked where it is used. */
function filterOf(query: Query): JobFilter {
  const attempts = query.get('minAttempts')
  const said = [
    ...lists.map((name) => [name, query.list(name)] as const),
    ...texts.map((name) => [name, query.get(name)] as const),
    [
      'minAttempts',
      attempts === undefined ? undefined : toCount(attempts, '"minAttempts"', 1, 1_000_000),
    ] as const,
  ]
  return Object.fromEntries(said.filter(([, value]) => value !== undefined)) as JobFilter
}

type Act = (bulk: Bulk, which: Which, body: Body, options: BulkOptions) => Promise<BulkAnswer>

interface Action {
  /** What whoever does it must be allowed to do. */
  readonly action: DashboardAction
  /** What its body has, beside which jobs are meant. */
  readonly arguments: readonly string[]
  readonly act: Act
}

/** What may be done with jobs. */
export const actions: Readonly<Record<BulkAction, Action>> = Object.freeze({
  cancel: {
    action: 'job.cancel',
    arguments: ['reason'],
    act: (bulk, which, { reason }, options) =>
      bulk.cancel(which, { ...options, ...(reason === undefined ? {} : { reason: reason as string }) }),
  },
  retry: { action: 'job.retry', arguments: [], act: (bulk, which, _, options) => bulk.retry(which, options) },
  delete: {
    action: 'job.delete',
    arguments: [],
    act: (bulk, which, _, options) => bulk.delete(which, options),
  },
  promote: {
    action: 'job.run',
    arguments: [],
    act: (bulk, which, _, options) => bulk.promote(which, options),
  },
  move: {
    action: 'job.move',
    arguments: ['queue', 'priority'],
    act: (bulk, which, { queue, priority }, options) =>
      bulk.move(
        which,
        {
          ...(queue === undefined ? {} : { queue: queue as string }),
          ...(priority === undefined ? {} : { priority: priority as number }),
        },
        options,
      ),
  },
} satisfies Record<BulkAction, Action>)

/** `undefined`: there is no such action. */
export function actionOfMany(name: string): DashboardAction | undefined {
  return namedAction(name)?.action
}

function namedAction(name: string): Action | undefined {
  return Object.hasOwn(actions, name) ? actions[name as BulkAction] : undefined
}

/** How long one request works: a proxy in between gives up after a minute or so. */
const longestMs = 25_000

/** `POST /jobs/:action`, for those that the body means. What 25 s are too short for is gone on with by `cursor`. */
export async function actOnJobs(call: ApiCall): Promise<BulkAnswer> {
  const { deps, req, name, query } = call
  query.only([])
  const action = namedAction(name)
  if (!action) throw unknownAction(name)
  const body = await readBody(call)
  checkKeys(body, [...action.arguments, 'ids', 'filter', 'cursor'], `The body of "${name}"`)
  const { by = null, from = 'http' } = toAskOptions(call, undefined, undefined)
  return action.act(deps.bulk, whichOf(body), body, {
    ...{ by, from, signal: AbortSignal.any([AbortSignal.timeout(longestMs), goneOf(req)]) },
    ...(body.cursor === undefined ? {} : { cursor: checkText(body.cursor, '"cursor"') }),
  })
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

/** Who goes away wants no more of it. */
function goneOf(req: Request): AbortSignal {
  const controller = new AbortController()
  req.res?.once('close', () => controller.abort())
  return controller.signal
}

function unknownAction(name: string): ApiError {
  const known = Object.keys(actions).join(', ')
  return new ApiError(404, 'UNKNOWN_ACTION', `There is no "${name.slice(0, 100)}" for jobs. Known: ${known}.`)
}
