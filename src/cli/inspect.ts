import type { Command } from 'commander'
import type { Inspect } from '../control/control.js'
import type { Answer, AskOptions, WorkerReply } from '../control/door.js'
import type { ActiveJob, ReservedJob, ServedQueue, WorkerReport, WorkerStats } from '../control/verbs.js'
import { tellMs } from '../job/duration.js'
import { type AskFlags, asking, tellAnswer, toAskOptions } from './asking.js'
import { addAbsent, type CommonFlags, common, wholeNumber } from './kit.js'
import { tableOr, tellBytes } from './show.js'

/** What workers are asked, and how their replies are shown. */
interface Question<Value> {
  readonly name: string
  readonly aliases?: readonly string[]
  readonly description: string
  ask(inspect: Inspect, options: AskOptions): Promise<Answer<Value>>
  show(replies: readonly WorkerReply<Value>[]): string
}

const questions = [
  question({
    name: 'ping',
    description: 'Which workers reply.',
    ask: (inspect, options) => inspect.ping(options),
    show: (replies) => replies.map(({ worker, value }) => `${worker.name}: ${value}`).join('\n'),
  }),
  question<readonly ActiveJob[]>({
    name: 'active',
    description: 'The jobs that run.',
    ask: (inspect, options) => inspect.active(options),
    show: (replies) =>
      tableOr(
        ['worker', 'id', 'task', 'queue', 'attempt', 'pool', 'runs for', ''],
        rowsOf(replies, (job) => [
          ...[job.id, job.task, job.queue, String(job.attempt), job.pool, tellMs(job.runningMs)],
          job.isCancelling ? 'is asked to stop' : '',
        ]),
        'No job is running.',
      ),
  }),
  question<readonly ReservedJob[]>({
    name: 'reserved',
    description: 'The jobs that workers have taken and not begun.',
    ask: (inspect, options) => inspect.reserved(options),
    show: (replies) =>
      tableOr(
        ['worker', 'id', 'task', 'queue', 'waits for'],
        rowsOf(replies, (job) => [job.id, job.task, job.queue, tellMs(job.waitingMs)]),
        'No job is taken and not begun. What waits in the queues: celeriac queues, celeriac jobs list',
      ),
  }),
  question<readonly string[]>({
    name: 'registered',
    description: 'The tasks that each worker knows.',
    ask: (inspect, options) => inspect.registered(options),
    show: (replies) =>
      tableOr(
        ['worker', 'task'],
        rowsOf(replies, (task) => [task]),
        'No worker knows a task.',
      ),
  }),
  question<WorkerStats>({
    name: 'stats',
    description: 'Counters, slots, memory and load.',
    ask: (inspect, options) => inspect.stats(options),
    show: (replies) => tableOr(statsHead, replies.map(toStatsRow), ''),
  }),
  question<readonly ServedQueue[]>({
    name: 'queues',
    aliases: ['active_queues'],
    description: 'The queues that each worker serves.',
    ask: (inspect, options) => inspect.queues(options),
    show: (replies) =>
      tableOr(
        ['worker', 'queue', ''],
        rowsOf(replies, ({ queue, isPaused }) => [queue, isPaused ? 'paused' : '']),
        'No worker serves a queue.',
      ),
  }),
  question<Readonly<Record<string, unknown>>>({
    name: 'conf',
    description: 'The options that hold, without secrets.',
    ask: (inspect, options) => inspect.conf(options),
    show: (replies) =>
      replies.map(({ worker, value }) => `${worker.name}\n${indented(toLines(value))}`).join('\n'),
  }),
  question<WorkerReport>({
    name: 'report',
    description: 'Versions and settings of each worker, for a report of a fault.',
    ask: (inspect, options) => inspect.report(options),
    show: (replies) =>
      replies
        .map(({ worker, value: { conf, packages, ...facts } }) =>
          [worker.name, indented(toLines({ ...facts, ...packages })), indented(toLines(conf))].join('\n'),
        )
        .join('\n'),
  }),
]

/** So that a list of them keeps no type of each. */
function question<Value>(said: Question<Value>): Question<unknown> {
  return said as Question<unknown>
}

export function addInspect(program: Command): void {
  const inspect = program
    .command('inspect')
    .description('Ask workers, and the store, what goes on.')
    .addHelpText(
      'after',
      `
Exits with 3 when no worker is running or one refuses, 4 when a worker or job is unknown, 5 when a worker does not reply.

Example:
  celeriac inspect active -d 'mail@*' --timeout 5s`,
    )
  for (const { name, aliases = [], description, ask, show } of questions) {
    asking(inspect.command(name).aliases(aliases))
      .description(description)
      .action(async (flags: AskFlags) => {
        const options = toAskOptions(flags)
        const { withDoor } = await import('./open.js')
        await withDoor(flags, async ({ inspect: asked }) =>
          tellAnswer(await ask(asked, options), flags, { show }),
        )
      })
  }

  common(inspect.command('scheduled'))
    .description('The jobs that wait for their time. Asks the store, so that none is missed.')
    .option('--limit <number>', 'so many of each queue at most', '100')
    .action(async (flags: CommonFlags & { readonly limit: string }) =>
      (await import('./inspect-jobs.js')).tellScheduled(flags, wholeNumber(flags.limit, '--limit')),
    )

  common(inspect.command('query').aliases(['query_task']))
    .description('Where jobs are: waiting in a queue, running on a worker, or ended.')
    .argument('<id...>', 'ids of jobs')
    .action(async (ids: readonly string[], flags: CommonFlags) =>
      (await import('./inspect-jobs.js')).tellWhere(ids, flags),
    )

  for (const [name, word] of Object.entries(absent)) {
    addAbsent(inspect, name, word)
  }
}

/** What Celery has, and what to do here. */
const absent: Readonly<Record<string, string>> = {
  revoked:
    'Cancels are kept in the store, and no worker need remember them. Ask: celeriac jobs list --state cancelled',
  clock: 'There is no logical clock: all times are those of the database.',
  memsample:
    'Memory of each worker: celeriac inspect stats. What is in it: node --inspect and its heap snapshots.',
  memdump:
    'Memory of each worker: celeriac inspect stats. What is in it: node --inspect and its heap snapshots.',
  objgraph: 'What is in the memory of a worker: node --inspect and its heap snapshots.',
}

/** One row for each thing that a worker names. */
function rowsOf<Each>(
  replies: readonly WorkerReply<readonly Each[]>[],
  toRow: (each: Each) => readonly string[],
): string[][] {
  return replies.flatMap(({ worker, value }) => value.map((each) => [worker.name, ...toRow(each)]))
}

const statsHead = [
  'worker',
  'up',
  'running',
  'reserved',
  'processed',
  'failed',
  'memory',
  'loop',
  'cpu',
  'load',
  '',
]

function toStatsRow({ worker, value }: WorkerReply<WorkerStats>): string[] {
  const { uptimeMs, running, concurrency, autoscale, reserved, processed, outcomes, memory } = value
  const range = autoscale ? ` (${autoscale.min} to ${autoscale.max})` : ''
  return [
    worker.name,
    tellMs(uptimeMs),
    `${running}/${concurrency}${range}`,
    String(reserved),
    String(processed),
    String(outcomes.failed ?? 0),
    tellBytes(memory.rss),
    `${Math.round(value.loopDelayMs)} ms`,
    `${Math.round(value.cpu * 100)}%`,
    (value.load[0] ?? 0).toFixed(1),
    value.paused.length === 0 ? '' : `paused: ${value.paused.join(', ')}`,
  ]
}

function toLines(values: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(values).map(
    ([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
}

function indented(lines: readonly string[]): string {
  return lines.map((line) => `  ${line}`).join('\n')
}
