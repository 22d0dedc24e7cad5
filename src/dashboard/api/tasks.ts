import type { KnownWorker } from '../../store/store.js'
import type { AnswerOf, TaskSummary } from './contract.js'
import { knownTasks } from './known-tasks.js'
import { usualRange } from './ranges.js'
import { groupMoves, noRates, readRates } from './rates.js'
import type { Reading } from './route.js'
import { countStates, openOf } from './states.js'
import { isLive } from './workers.js'

/** `GET /tasks`: those that this process or a worker knows, and those that have jobs. */
export async function listTasks({ deps, query }: Reading<'GET /tasks'>): Promise<AnswerOf<'GET /tasks'>> {
  const { range = usualRange } = query
  const { store } = await deps.backend()
  const [known, workers, moves, lately] = await Promise.all([
    knownTasks(deps),
    store.workers(),
    store.moves(),
    readRates(store, range, 'task'),
  ])
  const live = workers.filter(isLive)
  const all = groupMoves(moves, 'task')
  const names = new Set([...known.keys(), ...live.flatMap((worker) => worker.tasks), ...lately.keys()])
  const tasks = [...names].sort().map((name): TaskSummary => {
    const task = known.get(name)
    return {
      name,
      queue: task?.queue ?? null,
      isKnownHere: task?.registered !== undefined,
      workers: namesOf(live, name),
      open: openOf(countStates(all.get(name) ?? [])),
      rates: lately.get(name) ?? noRates,
    }
  })
  return { range, tasks, total: tasks.length }
}

function namesOf(live: readonly KnownWorker[], task: string): readonly string[] {
  return live.filter(({ tasks }) => tasks.includes(task)).map((worker) => worker.name)
}
