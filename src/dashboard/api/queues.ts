import type { AnswerOf, QueueSummary } from './contract.js'
import { limitsOfQueue } from './limits.js'
import { usualRange } from './ranges.js'
import { groupMoves, noRates, readRates } from './rates.js'
import type { Reading } from './route.js'
import { countStates } from './states.js'

/** `GET /queues`: what waits, since when, and who serves it. */
export async function listQueues({ deps, query }: Reading<'GET /queues'>): Promise<AnswerOf<'GET /queues'>> {
  const { range = usualRange } = query
  const { store } = await deps.backend()
  const [status, moves, lately, settings] = await Promise.all([
    deps.status(),
    store.moves(),
    readRates(store, range, 'queue'),
    store.settings(),
  ])
  const all = groupMoves(moves, 'queue')
  const seen = new Map(status.queues.map((queue) => [queue.queue, queue]))
  const names = new Set([...seen.keys(), ...lately.keys()])
  const queues = [...names].sort().map((name): QueueSummary => {
    const counts = countStates(all.get(name) ?? [])
    const { ageMs = null, isPaused = false, servedBy = [] } = seen.get(name) ?? {}
    return {
      ...{ name, waiting: counts.queued, running: counts.running },
      delayed: counts.scheduled + counts.retrying,
      ...{ oldestMs: ageMs, isPaused, servedBy },
      limits: limitsOfQueue(name, deps.config.queueLimits, settings),
      rates: lately.get(name) ?? noRates,
    }
  })
  return { range, queues, total: queues.length }
}
