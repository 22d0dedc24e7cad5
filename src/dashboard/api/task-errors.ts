import type { FoundErrors } from '../../store/store.js'
import type { DashboardDeps } from '../dashboard.js'
import type { TaskErrors } from './contract.js'
import { groupErrors } from './error-groups.js'
import { allNames } from './known-tasks.js'
import { rangeMs, usualRange } from './ranges.js'
import type { Reading } from './route.js'

/** Failures that are looked at. The search ends after two seconds, too. */
const most = 1000
/** What is retried began before what waits behind it, so it is found at once, but for one that stands behind much else. */
const retriedWithinMs = 300

/** `GET /tasks/:name/errors`: what went wrong lately, also where another attempt follows; the most frequent first. */
export async function showErrors({
  deps,
  params,
  query,
}: Reading<'GET /tasks/:name/errors'>): Promise<TaskErrors> {
  const { range = usualRange } = query
  const from = new Date(Date.now() - rangeMs[range])
  const [{ store }, registry] = await Promise.all([deps.backend(), deps.tasks()])
  const tasks = allNames(registry, params.name)
  const [failed, retried] = await Promise.all([
    store.searchErrors({ tasks, states: ['failed'], finished: { from } }, { limit: most, sort: 'newest' }),
    findRetried(deps, tasks),
  ])
  const { cursor, errors, lookedTo } = failed
  const all = [...errors, ...retried.errors.filter(({ startedAt }) => startedAt && startedAt >= from)]
  return {
    groups: groupErrors(all),
    looked: all.length,
    isCut: cursor !== null || retried.cursor !== null,
    lookedTo: lookedTo ?? errors.at(-1)?.finishedAt ?? null,
  }
}

type Retried = Pick<FoundErrors, 'errors' | 'cursor'>

const nothing: Retried = { errors: [], cursor: null }

/** Jobs that wait for their next attempt. Counters say in which queues there are any, and how many: most often none. */
async function findRetried({ backend, insight }: DashboardDeps, tasks: readonly string[]): Promise<Retried> {
  const depths = await insight.depths()
  const retrying = depths.filter(({ task, state }) => state === 'retrying' && tasks.includes(task))
  const jobs = retrying.reduce((sum, depth) => sum + depth.jobs, 0)
  if (jobs <= 0) return nothing
  const queues = [...new Set(retrying.map(({ queue }) => queue))]
  const { store } = await backend()
  const found = await store.searchErrors(
    { tasks, queues, states: ['retrying'] },
    { limit: Math.min(jobs, most), sort: 'oldest', withinMs: retriedWithinMs },
  )
  // Where all of them were found, it does not matter what stands behind the last.
  return { errors: found.errors, cursor: found.errors.length >= jobs ? null : found.cursor }
}
