import type { Command } from 'commander'
import { workerAdvice } from '../config/advice.js'
import type { Config } from '../config/resolve.js'
import { createSettings } from '../control/settings.js'
import { createLimitBook } from '../enqueue/limit-book.js'
import { tellMs } from '../job/duration.js'
import { reach } from '../store/lists.js'
import type { QueueCount, QueueLoad, Setting, Store } from '../store/store.js'
import { tellLimit } from '../task/limit-rule.js'
import {
  type CommonFlags,
  common,
  exitCodes,
  exitWith,
  list,
  note,
  paint,
  print,
  printJson,
  table,
} from './kit.js'

interface QueuesFlags extends CommonFlags {
  readonly queues?: readonly string[]
}

export function addQueues(program: Command): void {
  common(program.command('queues'))
    .description('Show every queue: what waits and runs, since when, who serves it, and what limits it.')
    .option('-Q, --queues <names>', 'these only', list)
    .addHelpText('after', help)
    .action(queues)
}

const help = `
Counts end at ${reach.toLocaleString('en')} jobs of a queue. A queue with work that no live worker serves is red, and the word to start one
stands below. Exits with 4 when a queue that was named is not known.

Example:
  celeriac queues
  celeriac queues --json | jq -r '.[] | select(.workers == []) | .queue'`

/** What is to be known of a queue. */
export interface QueueStatus {
  readonly queue: string
  /** Due, and not started. */
  readonly waiting: number
  /** Scheduled and retrying. */
  readonly delayed: number
  readonly running: number
  readonly failed: number
  /** How long the oldest that waits has been due. */
  readonly oldestMs: number | null
  readonly paused: boolean
  /** Names of live workers that serve it. */
  readonly workers: readonly string[]
  readonly rateLimit: string | null
  readonly concurrency: number | null
}

async function queues(flags: QueuesFlags): Promise<void> {
  const { withStore } = await import('./open.js')
  await withStore(flags, async (store, config) => {
    const known = await store.knownQueues()
    const unknown = (flags.queues ?? []).filter((name) => !known.includes(name))
    const found = await readQueues(store, config, flags.queues ?? known)
    if (flags.json) printJson(found)
    else if (found.length === 0) print('No job and no worker is known yet, and so no queue.')
    else show(found, config)
    for (const name of unknown) {
      note(`No job and no worker of the last days knows a queue "${name}".`)
      exitWith(exitCodes.unknown)
    }
  })
}

/** Some statements, whatever the number of queues and jobs. */
export async function readQueues(
  store: Pick<Store, 'countJobs' | 'load' | 'workers' | 'settings'>,
  config: Pick<Config, 'queueLimits'>,
  names: readonly string[],
): Promise<QueueStatus[]> {
  const questions = names.map((queue) => ({ queue, waiting: reach, share: null, owners: [] }))
  const [counts, loads, workers, settings] = await Promise.all([
    store.countJobs(names),
    store.load(questions),
    store.workers(),
    store.settings(),
  ])
  const live = workers.filter(({ stoppedAt, lostAt }) => stoppedAt === null && lostAt === null)
  const control = createSettings()
  control.learn(settings)
  const limits = limitsOf(config, settings)
  return [...names].sort().map((queue) => ({
    ...statusOf(queue, counts, loads),
    paused: control.isPaused(queue),
    workers: live.filter(({ queues }) => queues.includes(queue)).map(({ name }) => name),
    ...limits(queue),
  }))
}

function statusOf(queue: string, counts: readonly QueueCount[], loads: readonly QueueLoad[]) {
  const load = loads.find((each) => each.queue === queue)
  const count = (...states: QueueCount['state'][]) =>
    counts
      .filter((each) => each.queue === queue && states.includes(each.state))
      .reduce((sum, each) => sum + each.count, 0)
  return {
    queue,
    waiting: load?.waiting ?? 0,
    delayed: Math.max(0, count('scheduled', 'retrying', 'queued') - (load?.waiting ?? 0)),
    running: count('running'),
    failed: count('failed'),
    oldestMs: load?.ageMs == null ? null : Math.max(0, Math.round(load.ageMs)),
  }
}

function limitsOf({ queueLimits }: Pick<Config, 'queueLimits'>, settings: readonly Setting[]) {
  const book = createLimitBook({
    registry: () => undefined,
    queues: queueLimits,
    parse: () => undefined,
    log: { warn: note },
  })
  book.learn(settings)
  return (queue: string) => {
    const { rateLimit, concurrency } = tellLimit(book.ofQueue(queue) ?? {})
    return { rateLimit, concurrency }
  }
}

function show(found: readonly QueueStatus[], config: Config): void {
  const rows = found.map((queue) => ({ queue, cells: toRow(queue) }))
  const [head, ...lines] = table([header, ...rows.map(({ cells }) => cells)]).split('\n')
  print([head, ...lines.map((line, at) => coloured(line, rows[at]?.queue))].join('\n'))
  const workers = found.flatMap((queue) => queue.workers)
  for (const queue of found.filter(isUnserved)) {
    const jobs = queue.waiting === 1 ? '1 job waits' : `${queue.waiting} jobs wait`
    note(
      `${jobs} in "${queue.queue}", and no worker serves it. ${workerAdvice(config, queue.queue, workers)}`,
    )
  }
}

const header = ['queue', 'waiting', 'delayed', 'running', 'failed', 'oldest', 'limits', 'workers']

function toRow({
  queue,
  waiting,
  delayed,
  running,
  failed,
  oldestMs,
  paused,
  workers,
  ...limits
}: QueueStatus): string[] {
  const served = workers.length === 0 ? 'none' : workers.join(', ')
  return [
    queue,
    ...[waiting, delayed, running, failed].map(counted),
    oldestMs === null ? '-' : tellMs(oldestMs),
    tellLimits(limits),
    paused ? `paused (${served})` : served,
  ]
}

function counted(count: number): string {
  return count >= reach ? `${count}+` : String(count)
}

function tellLimits({ rateLimit, concurrency }: Pick<QueueStatus, 'rateLimit' | 'concurrency'>): string {
  const parts = [rateLimit, concurrency === null ? null : `${concurrency} at once`]
  return parts.filter((part) => part !== null).join(', ') || '-'
}

function coloured(line: string, queue: QueueStatus | undefined): string {
  if (queue && isUnserved(queue)) return paint('red', line)
  return queue?.paused ? paint('yellow', line) : line
}

function isUnserved({ waiting, workers }: QueueStatus): boolean {
  return waiting > 0 && workers.length === 0
}
