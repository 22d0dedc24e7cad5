import type { ClusterStatus } from '../../control/status.js'
import type { Overview } from './contract.js'
import { readQueues } from './queues.js'
import { usualRange } from './ranges.js'
import { readSeries } from './rates.js'
import type { Reading } from './route.js'
import { countStates } from './states.js'
import { toSummary } from './workers.js'

/** `GET /status`: how everything is, and what is wrong. */
export async function showStatus({ deps }: Reading<'GET /status'>): Promise<ClusterStatus> {
  const status = await deps.status()
  return { ...status, problems: await deps.insight.attention(status) }
}

/** `GET /overview`: how everything is, and was. */
export async function showOverview({ deps, query }: Reading<'GET /overview'>): Promise<Overview> {
  const { range = usualRange } = query
  const { store } = await deps.backend()
  const status = await deps.status()
  const [attention, depths, lately, queues, workers, clock] = await Promise.all([
    deps.insight.attention(status),
    deps.insight.depths(),
    readSeries(deps, range),
    readQueues(deps, range, status),
    store.workers(),
    store.changeClock(),
  ])
  const shown = new Set(status.workers.map(({ id }) => id))
  return {
    ...{ range, now: clock.now, status: status.status, attention, states: countStates(depths) },
    ...{ ...lately, queues },
    workers: workers.filter(({ id }) => shown.has(id)).map((worker) => toSummary(worker, status)),
  }
}
