import type { Command } from 'commander'
import type { Config } from '../config/resolve.js'
import { UnknownTaskError } from '../errors.js'
import { tellMs } from '../job/duration.js'
import { suggest } from '../job/suggest.js'
import type { Store } from '../store/store.js'
import { readAnnouncements, type TaskAnnouncement } from '../task/announcement.js'
import { tellLimit } from '../task/limit-rule.js'
import type { RegisteredTask, TaskRegistry } from '../task/registry.js'
import { exampleOf, type PayloadSchema, payloadSchemaOf } from '../task/schema.js'
import { describeTask, type TaskDescription } from '../tasks.js'
import { type CommonFlags, common, endSoon, note, paint, print, printJson, table } from './kit.js'

export function addTasks(program: Command): void {
  common(program.command('tasks'))
    .description('List the tasks: those whose code is here, and those that workers have announced.')
    .argument('[name]', 'one task: its payload as JSON Schema, its options, and how to call it')
    .addHelpText('after', help)
    .action(tasks)
}

const help = `
Exits with 4 when no such task is known. A task that no live worker runs is yellow.

Example:
  celeriac tasks
  celeriac tasks reports.build --json | jq .payload.jsonSchema`

type Needed = 'queue' | 'attempts'

/** What is to be known of a task. What only its code says is absent where the code is not. */
interface KnownTask extends Omit<Partial<TaskDescription>, Needed>, Pick<TaskDescription, Needed> {
  readonly name: string
  /** The file that exports it; `null`: its code is not here. */
  readonly source: string | null
  readonly payload: PayloadSchema | null
  /** Names of live workers that have its code and serve its queue; `null`: the store was not to be asked. */
  readonly workers: readonly string[] | null
}

async function tasks(name: string | undefined, flags: CommonFlags): Promise<void> {
  try {
    await tell(name, flags)
  } finally {
    endSoon()
  }
}

async function tell(name: string | undefined, flags: CommonFlags): Promise<void> {
  const { readTasks } = await import('./open.js')
  const { config, registry } = await readTasks(flags)
  const told = await askStore(flags)
  const known = knownTasks(config, registry, told)
  if (name !== undefined) return showFound(find(known, name), flags)
  if (flags.json) return printJson(known)
  if (known.length === 0) return print('No code of tasks is here, and no worker has announced any.')
  const [head, ...lines] = table([header, ...known.map(toRow)]).split('\n')
  print([head, ...lines.map((line, at) => (isIdle(known[at]) ? paint('yellow', line) : line))].join('\n'))
}

interface Told {
  readonly announced: ReadonlyMap<string, TaskAnnouncement>
  readonly workers: Awaited<ReturnType<Store['workers']>>
}

/** What workers say; without a store, what the code says is enough. */
async function askStore(flags: CommonFlags): Promise<Told | undefined> {
  const { withStore } = await import('./open.js')
  try {
    return await withStore(flags, async (store) => ({
      announced: toAnnounced(await store.announcedTasks()),
      workers: (await store.workers()).filter(
        ({ stoppedAt, lostAt }) => stoppedAt === null && lostAt === null,
      ),
    }))
  } catch (error) {
    note(`What workers run is not known: ${error instanceof Error ? error.message : String(error)}`)
    return undefined
  }
}

/** The newest come first, and say how it is. */
function toAnnounced(texts: readonly string[]): Map<string, TaskAnnouncement> {
  const announced = new Map<string, TaskAnnouncement>()
  for (const text of texts)
    for (const [name, task] of Object.entries(readAnnouncements(text)))
      if (!announced.has(name)) announced.set(name, task)
  return announced
}

function knownTasks(config: Config, registry: TaskRegistry | undefined, told: Told | undefined): KnownTask[] {
  const here = registry?.names ?? []
  const elsewhere = [...(told?.announced.keys() ?? [])].filter((name) => !registry?.find(name))
  const workersOf = (name: string, queue: string) =>
    told
      ? told.workers
          .filter(({ tasks, queues }) => tasks.includes(name) && queues.includes(queue))
          .map((worker) => worker.name)
      : null
  return [...here, ...elsewhere].sort().map((name) => {
    const registered = registry?.find(name)
    const described = registered ? fromCode(registered, config) : fromWorkers(told?.announced.get(name))
    return { name, ...described, workers: workersOf(name, described.queue) }
  })
}

function fromCode(registered: RegisteredTask, config: Config) {
  const payload = payloadSchemaOf(registered.definition.schema)
  return { ...describeTask(registered, config), source: registered.source, payload }
}

function fromWorkers({
  aliases = [],
  queue = '',
  attempts = 1,
  priority = 0,
  expiresInMs,
  unique,
  about,
}: Partial<TaskAnnouncement> = {}) {
  const expiry = expiresInMs === undefined ? null : expiresInMs
  return {
    aliases,
    queue,
    attempts,
    priority,
    expiresInMs: expiry,
    unique: unique?.mode ?? null,
    source: null,
    payload: about?.schema ?? null,
    ...(about ? { timeLimit: about.timeLimit, pool: about.pool, retention: about.retention } : {}),
  }
}

/** @throws {UnknownTaskError} */
function find(known: readonly KnownTask[], name: string): KnownTask {
  const found = known.find((task) => task.name === name || task.aliases?.includes(name))
  if (found) return found
  const names = known.flatMap((task) => [task.name, ...(task.aliases ?? [])])
  throw new UnknownTaskError(name, suggest(name, names))
}

const header = ['task', 'queue', 'attempts', 'time limit', 'limits', 'pool', 'kept', 'aliases', 'workers']

function toRow({ name, queue, attempts, timeLimit, pool, aliases, workers, ...rest }: KnownTask): string[] {
  return [
    name,
    queue,
    String(attempts),
    timeLimit ? tellTimeLimit(timeLimit) : '?',
    rest.source === null ? '?' : tellLimits(rest),
    pool === undefined ? '?' : (pool ?? '-'),
    rest.retention ? tellKept(rest.retention) : '?',
    aliases?.join(', ') || '-',
    workers === null ? '?' : String(workers.length),
  ]
}

function isIdle(task: KnownTask | undefined): boolean {
  return task?.workers?.length === 0
}

function tellTimeLimit({ softMs, hardMs }: TaskDescription['timeLimit']): string {
  const parts = [softMs, hardMs].flatMap((ms) => (ms === null ? [] : [tellMs(ms)]))
  return parts.length === 0 ? '-' : [...new Set(parts)].join(', then ')
}

function tellLimits({ limits }: Pick<KnownTask, 'limits'>): string {
  if (!limits) return '-'
  const [all, each] = [tellLimit(limits.task), tellLimit(limits.key)]
  const parts = [
    all.rateLimit,
    all.concurrency && `${all.concurrency} at once`,
    each.rateLimit && `${each.rateLimit} a key`,
    each.concurrency && `${each.concurrency} of a key`,
  ]
  return parts.filter((part) => part !== null && part !== 0).join(', ') || 'fair between keys'
}

function tellKept({ ages, count }: NonNullable<KnownTask['retention']>): string {
  const tell = (ms: number | null) => (ms === null ? 'for ever' : ms === 0 ? 'not at all' : tellMs(ms))
  const { succeeded, ...others } = ages
  const other = Object.entries(others).filter(([, ms]) => ms !== succeeded)
  const parts = [tell(succeeded), ...other.map(([state, ms]) => `${state} ${tell(ms)}`)]
  return [...parts, ...(count === null ? [] : [`at most ${count}`])].join(', ')
}

function showFound(task: KnownTask, { json }: CommonFlags): void {
  if (json) printJson({ ...task, call: callOf(task) })
  else showOne(task)
}

type Fact = readonly [name: string, value: string]

const fact = (name: string, value: string): Fact => [name, value]

function showOne(task: KnownTask): void {
  const { name, source, payload, workers, priority, expiresInMs, unique, aliases } = task
  const facts: Fact[] = [
    ['code', source ?? 'not here'],
    ['queue', task.queue],
    ['priority', String(priority ?? 0)],
    ['attempts', String(task.attempts)],
    ...(task.timeLimit ? [fact('time limit', tellTimeLimit(task.timeLimit))] : []),
    ['expires', expiresInMs == null ? 'never' : `after ${tellMs(expiresInMs)}`],
    ...(source === null ? [] : [fact('limits', tellLimits(task))]),
    ['unique', unique ?? 'no'],
    ...(task.pool === undefined ? [] : [fact('pool', task.pool ?? 'that of the worker')]),
    ...(task.retention ? [fact('kept', tellKept(task.retention))] : []),
    ['aliases', aliases?.join(', ') || 'none'],
    ['workers', workers === null ? 'not known' : workers.join(', ') || 'none runs it now'],
  ]
  print(paint('bold', name))
  for (const [fact, value] of facts) print(`  ${fact.padEnd(10)}  ${value}`)
  print(`\npayload\n${indented(tellPayload(payload))}`)
  print(`\ncall\n  ${callOf(task)}`)
}

function tellPayload(payload: PayloadSchema | null): string {
  if (!payload) return 'Its schema stands in the code, which is not here. The worker checks it.'
  return payload.jsonSchema ? JSON.stringify(payload.jsonSchema, null, 2) : (payload.note ?? '')
}

/** As somebody would type it. */
function callOf({ name, payload }: KnownTask): string {
  const example = payload?.jsonSchema ? JSON.stringify(exampleOf(payload.jsonSchema)) : undefined
  if (payload?.library === null) return `celeriac call ${name} --payload '…' --wait`
  return `celeriac call ${name} --payload '${(example ?? '{…}').replaceAll("'", `'\\''`)}' --wait`
}

function indented(text: string): string {
  return text.replace(/^/gm, '  ')
}
