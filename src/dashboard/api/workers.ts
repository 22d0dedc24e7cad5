import { UnknownWorkerError } from '../../errors.js'
import type { KnownWorker } from '../../store/store.js'
import type { ApiCall } from './call.js'

/** `GET /workers`: every worker that the store remembers. */
export async function listWorkers({ deps, query }: ApiCall) {
  query.only([])
  const workers = await deps.inspect.workers()
  return { workers: workers.map(toShown) }
}

/** `GET /workers/:id`, by id or by name; of those of one name, the one that lives, else the last. */
export async function showWorker({ deps, query, name }: ApiCall) {
  query.only([])
  const workers = await deps.inspect.workers()
  const found = workers.find((worker) => worker.id === name || worker.name === name)
  if (found) return toShown(found)
  const live = workers.filter(({ stoppedAt, lostAt }) => stoppedAt === null && lostAt === null)
  throw new UnknownWorkerError(name.slice(0, 100), [...new Set(live.map((worker) => worker.name))])
}

function toShown({ config, report, ...worker }: KnownWorker) {
  return { ...worker, state: stateOf(worker), config: parsed(config), report: parsed(report) }
}

function stateOf({ lostAt, stoppedAt }: Pick<KnownWorker, 'lostAt' | 'stoppedAt'>): string {
  if (lostAt !== null) return 'lost'
  return stoppedAt === null ? 'live' : 'stopped'
}

/** Of a worker of another version, whatever it says. */
export function parsed(text: string | null): unknown {
  try {
    return text === null ? null : (JSON.parse(text) as unknown)
  } catch {
    return null
  }
}
