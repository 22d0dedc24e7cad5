import { settingNames } from '../../control/settings.js'
import { addTally, type Tally } from '../../job/tally.js'
import type { ResolvedTimeLimit } from '../../job/time-limit.js'
import type { Depth, Setting } from '../../store/store.js'
import { exampleOf } from '../../task/schema.js'
import type { AnswerOf, Rates, TaskPage, TaskSummary } from './contract.js'
import { type KnownTask, readTasks, type TaskBook, unannounced, unknownTask } from './known-tasks.js'
import { limitsOf, whoSet } from './limits.js'
import { usualRange } from './ranges.js'
import { noRates, readSeries, spanOf, toRates } from './rates.js'
import type { Reading } from './route.js'
import { countStates, groupDepths, openOf } from './states.js'
import { parsed } from './workers.js'

/** `GET /tasks`: those that this process or a worker knows, and those that have jobs. */
export async function listTasks({ deps, query }: Reading<'GET /tasks'>): Promise<AnswerOf<'GET /tasks'>> {
  const { range = usualRange } = query
  const [book, depths, sums] = await Promise.all([
    readTasks(deps),
    deps.insight.depths(),
    deps.insight.sums({ ...spanOf(range), by: 'task' }),
  ])
  const all = groupDepths(depths, ({ task }) => book.nameOf(task))
  const lately = byName(book, sums)
  const withJobs = [...all].flatMap(([name, own]) => (openOf(countStates(own)) > 0 ? [name] : []))
  const names = new Set([...book.names, ...lately.keys(), ...withJobs])
  const tasks = [...names].sort().map((name) => {
    const tally = lately.get(name)
    return toSummary(book, name, all.get(name) ?? [], tally ? toRates(tally) : noRates)
  })
  return { range, tasks, total: tasks.length }
}

/** A task that was renamed has jobs under both names. */
function byName(
  book: TaskBook,
  sums: readonly (Tally & { readonly name: string })[],
): ReadonlyMap<string, Tally> {
  const tallies = new Map<string, Tally>()
  for (const { name: given, ...tally } of sums) {
    const name = book.nameOf(given)
    const present = tallies.get(name)
    tallies.set(name, present ? addTally(present, tally) : tally)
  }
  return tallies
}

function toSummary(book: TaskBook, name: string, depths: readonly Depth[], rates: Rates): TaskSummary {
  const task = book.find(name)
  return {
    ...{ name, queue: task?.facts.queue ?? null, isKnownHere: task?.isHere ?? false },
    ...{ workers: book.workersOf(name), open: openOf(countStates(depths)), rates },
  }
}

/** `GET /tasks/:name`: how it runs, what it takes, and how it went. */
export async function showTask({ deps, params, query }: Reading<'GET /tasks/:name'>): Promise<TaskPage> {
  const { range = usualRange } = query
  const { store } = await deps.backend()
  const book = await readTasks(deps)
  const task = book.find(params.name)
  const name = task?.name ?? params.name
  const names = [name, ...(task?.facts.aliases ?? [])]
  const [all, lately, settings] = await Promise.all([
    deps.insight.depths(),
    readSeries(deps, range, { task: names }),
    store.settings(),
  ])
  const depths = all.filter(({ task: of }) => names.includes(of))
  if (!task && depths.length === 0) throw unknownTask(params.name, book.names)
  return {
    ...toSummary(book, name, depths, lately.rates),
    ...toFacts(task ?? unannounced(name), settings),
    ...{ range, states: countStates(depths), series: lately.series },
  }
}

type Facts = Omit<TaskPage, keyof TaskSummary | 'range' | 'states' | 'series'>

function toFacts({ name, source, facts, schema }: KnownTask, settings: readonly Setting[]): Facts {
  const { aliases, priority, attempts, expiresInMs, pool, unique, redact } = facts
  const { library, jsonSchema, note = null } = schema
  return {
    ...{ aliases, source, priority, attempts, backoff: facts.backoff },
    timeLimit: timeLimitOf(name, facts.timeLimit, settings),
    ...{ expiresInMs, pool, unique, redact, retention: facts.retention.ages },
    limits: limitsOf(`task:${name}`, facts.limits ?? undefined, settings),
    schema: { jsonSchema, library, note, example: jsonSchema ? exampleOf(jsonSchema) : null },
  }
}

function timeLimitOf(
  name: string,
  code: ResolvedTimeLimit,
  settings: readonly Setting[],
): TaskPage['timeLimit'] {
  const rule = settingNames.timeLimit(name)
  const given = settings.find((setting) => setting.name === rule)
  const holds = given ? ((parsed(given.value) as ResolvedTimeLimit | null) ?? code) : code
  return { softMs: holds.softMs, hardMs: holds.hardMs, code, set: whoSet(settings, rule) }
}
