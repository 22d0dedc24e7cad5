import { settingNames } from '../../control/settings.js'
import type { ClusterStatus } from '../../control/status.js'
import { hint } from '../../job/suggest.js'
import type { Depth, Setting } from '../../store/store.js'
import type { DashboardDeps } from '../dashboard.js'
import type { AnswerOf, QueuePage, QueueSummary, Range, Rates } from './contract.js'
import { limitsOfQueue, whoSet } from './limits.js'
import { ApiError } from './problem.js'
import { usualRange } from './ranges.js'
import { noRates, readRates, readSeries } from './rates.js'
import type { Reading } from './route.js'
import { countStates, groupDepths, openOf } from './states.js'

/** `GET /queues`: what waits, since when, and who serves it. */
export async function listQueues({ deps, query }: Reading<'GET /queues'>): Promise<AnswerOf<'GET /queues'>> {
  const { range = usualRange } = query
  await deps.backend()
  const queues = await readQueues(deps, range, await deps.status())
  return { range, queues, total: queues.length }
}

export async function readQueues(
  deps: DashboardDeps,
  range: Range,
  status: ClusterStatus,
): Promise<QueueSummary[]> {
  const { store } = await deps.backend()
  const [depths, lately, settings] = await Promise.all([
    deps.insight.depths(),
    readRates(deps, range, 'queue'),
    store.settings(),
  ])
  const all = groupDepths(depths, ({ queue }) => queue)
  const names = new Set([...status.queues.map(({ queue }) => queue), ...lately.keys(), ...withOpenJobs(all)])
  return [...names].sort().map((name) => {
    const facts = { depths: all.get(name) ?? [], settings, rates: lately.get(name) ?? noRates }
    return toSummary(deps, name, status, facts)
  })
}

function withOpenJobs(all: ReadonlyMap<string, readonly Depth[]>): string[] {
  return [...all].flatMap(([name, depths]) => (openOf(countStates(depths)) > 0 ? [name] : []))
}

interface QueueFacts {
  readonly depths: readonly Depth[]
  readonly settings: readonly Setting[]
  readonly rates: Rates
}

function toSummary(
  { config }: DashboardDeps,
  name: string,
  status: ClusterStatus,
  { depths, settings, rates }: QueueFacts,
): QueueSummary {
  const counts = countStates(depths)
  const seen = status.queues.find(({ queue }) => queue === name)
  const { ageMs = null, isPaused = false, servedBy = [] } = seen ?? {}
  return {
    ...{ name, waiting: counts.queued, running: counts.running },
    delayed: counts.scheduled + counts.retrying,
    ...{ oldestMs: ageMs, isPaused, servedBy, rates },
    limits: limitsOfQueue(name, config.queueLimits, settings),
  }
}

/** `GET /queues/:name`: a queue over time. */
export async function showQueue({ deps, params, query }: Reading<'GET /queues/:name'>): Promise<QueuePage> {
  const { name } = params
  const { range = usualRange } = query
  const { store } = await deps.backend()
  const [status, all, lately, settings] = await Promise.all([
    deps.status(),
    deps.insight.depths(),
    readSeries(deps, range, { queue: name }),
    store.settings(),
  ])
  const depths = all.filter(({ queue }) => queue === name)
  if (depths.length === 0) await assertKnown(deps, name, status, all)
  const facts = { depths, settings, rates: lately.rates }
  return {
    ...toSummary(deps, name, status, facts),
    ...{ range, series: lately.series, states: countStates(depths) },
    paused: whoSet(settings, settingNames.pause(name)),
    tasks: tasksIn(depths),
  }
}

function tasksIn(depths: readonly Depth[]): QueuePage['tasks'] {
  return [...groupDepths(depths, ({ task }) => task)]
    .map(([name, own]) => ({ name, open: openOf(countStates(own)) }))
    .sort((one, other) => other.open - one.open || (one.name < other.name ? -1 : 1))
}

/** It may be empty since ever, and be one that a task or a worker names. */
async function assertKnown(
  { config, tasks, describe }: DashboardDeps,
  name: string,
  status: ClusterStatus,
  depths: readonly Depth[],
): Promise<void> {
  const registry = await tasks()
  const names = new Set([
    ...[config.queue, ...(config.workerProcess.queues ?? []), ...Object.keys(config.queueLimits)],
    ...status.queues.map(({ queue }) => queue),
    ...status.workers.flatMap(({ queues }) => queues),
    ...depths.map(({ queue }) => queue),
    ...registry.names.map((task) => describe(registry.get(task)).queue),
  ])
  if (names.has(name)) return
  const shown = name.slice(0, 100)
  throw new ApiError(404, 'UNKNOWN_QUEUE', `There is no queue "${shown}".${hint(shown, names)}`)
}
