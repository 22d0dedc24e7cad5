import { type Command, Option } from 'commander'
import type { Control } from '../control/control.js'
import type { Answer, AskOptions, WorkerReply } from '../control/door.js'
import type { LimitScope } from '../enqueue/limits.js'
import { ConfigError } from '../errors.js'
import type { Concurrency, RateLimit } from '../job/limit.js'
import type { LogLevel } from '../telemetry/log.js'
import { toRange, toTime } from './amounts.js'
import { type AskFlags, asking, tellAnswer, toAskOptions } from './asking.js'
import { addCancel } from './cancel.js'
import { addAbsent, type CommonFlags, common, print, printJson, wholeNumber } from './kit.js'
import { tableOr } from './show.js'

/** What workers are told to do. */
interface Order {
  readonly name: string
  /** Celery's own names. */
  readonly aliases?: readonly string[]
  readonly arguments?: readonly (readonly [name: string, description: string])[]
  readonly options?: readonly Option[]
  readonly description: string
  readonly example?: string
  /** It names tasks, so their code is loaded. */
  readonly needsTasks?: boolean
  /** It is set for all, and holds without any worker: what to say then. */
  readonly holds?: string
  give(control: Control, given: Given, options: AskOptions): Promise<Answer<unknown>>
}

interface Given {
  readonly arguments: readonly string[]
  readonly flags: Readonly<Record<string, unknown>>
}

const willHold = 'Set. No worker is running; it holds for those that will start.'

const orders: readonly Order[] = [
  {
    name: 'shutdown',
    description: 'End workers: they finish what they run within their grace.',
    options: [new Option('--now', 'give running jobs back at once')],
    give: (control, { flags }, options) => control.shutdown({ ...options, now: flags.now === true }),
  },
  {
    name: 'pool-grow',
    aliases: ['pool_grow'],
    description: 'Run so many jobs more at once.',
    arguments: [['[number]', 'how many more (default: 1)']],
    give: (control, { arguments: [number = '1'] }, options) =>
      control.poolGrow(wholeNumber(number, 'The number'), options),
  },
  {
    name: 'pool-shrink',
    aliases: ['pool_shrink'],
    description: 'Run so many jobs fewer at once, but at least one. What runs is not disturbed.',
    arguments: [['[number]', 'how many fewer (default: 1)']],
    give: (control, { arguments: [number = '1'] }, options) =>
      control.poolShrink(wholeNumber(number, 'The number'), options),
  },
  {
    name: 'autoscale',
    description: 'Let workers scale themselves between two sizes, or "off".',
    arguments: [
      ['<max>', 'most jobs at once, or max,min, or off'],
      ['[min]', 'fewest jobs at once (default: 1)'],
    ],
    example: 'celeriac control autoscale 16 2',
    give: (control, { arguments: [max = '', min] }, options) =>
      control.autoscale(max === 'off' ? null : toRange(max, 'autoscale', min), options),
  },
  {
    name: 'pool-restart',
    aliases: ['pool_restart'],
    description: 'Replace threads and processes of the pools, each when its job has ended.',
    give: (control, _, options) => control.poolRestart(options),
  },
  {
    name: 'queue-add',
    aliases: ['add_consumer'],
    description: 'Serve one queue more.',
    arguments: [['<queue>', 'name of the queue']],
    give: (control, { arguments: [queue = ''] }, options) => control.queueAdd(queue, options),
  },
  {
    name: 'queue-remove',
    aliases: ['cancel_consumer'],
    description: 'Serve one queue less.',
    arguments: [['<queue>', 'name of the queue']],
    give: (control, { arguments: [queue = ''] }, options) => control.queueRemove(queue, options),
  },
  {
    name: 'pause',
    description: 'No worker starts a job of this queue, now or later, until "resume".',
    arguments: [['<queue>', 'name of the queue']],
    holds: willHold,
    give: (control, { arguments: [queue = ''] }, options) => control.pause(queue, options),
  },
  {
    name: 'resume',
    description: 'Start jobs of this queue again.',
    arguments: [['<queue>', 'name of the queue']],
    holds: willHold,
    give: (control, { arguments: [queue = ''] }, options) => control.resume(queue, options),
  },
  {
    name: 'rate-limit',
    aliases: ['rate_limit'],
    description: 'Limit starts in the whole cluster.',
    arguments: [
      ['<task>', 'name of a task, or queue:<name>'],
      ['<rate>', 'as 100/s or 30/m; none lifts the limit'],
    ],
    example: 'celeriac control rate-limit media.resize 10/s',
    needsTasks: true,
    holds: willHold,
    give: (control, { arguments: [task = '', rate = ''] }, options) =>
      control.rateLimit(toScope(task), (rate === 'none' ? null : toRate(rate)) as RateLimit | null, options),
  },
  {
    name: 'concurrency',
    description: 'Limit the jobs that run at once in the whole cluster.',
    arguments: [
      ['<task>', 'name of a task, or queue:<name>'],
      ['<number>', 'how many; none lifts the limit'],
    ],
    needsTasks: true,
    holds: willHold,
    give: (control, { arguments: [task = '', most = ''] }, options) =>
      control.concurrency(
        toScope(task),
        (most === 'none' ? null : wholeNumber(most, 'The number')) as Concurrency | null,
        options,
      ),
  },
  {
    name: 'limit-reset',
    description: 'Take back the rate and the concurrency that were set: again what the code says.',
    arguments: [['<task>', 'name of a task, or queue:<name>']],
    needsTasks: true,
    holds: willHold,
    give: (control, { arguments: [task = ''] }, options) => control.limitReset(toScope(task), options),
  },
  {
    name: 'time-limit',
    aliases: ['time_limit'],
    description: 'Limit the time of attempts that begin from now on; "none": as the code says.',
    arguments: [
      ['<task>', 'name of a task'],
      ['<soft>', 'when its signal aborts; a number alone is seconds'],
      ['[hard]', 'when the attempt is ended, whatever it does'],
    ],
    example: 'celeriac control time-limit media.resize 60s 90s',
    needsTasks: true,
    holds: willHold,
    give: (control, { arguments: [task = '', soft = '', hard] }, options) =>
      control.timeLimit(task, toTimeLimit(soft, hard), options),
  },
  {
    name: 'log-level',
    description: 'How much workers log.',
    arguments: [['<level>', 'fatal, error, warn, info, debug, trace or silent']],
    give: (control, { arguments: [level = ''] }, options) =>
      control.logLevel(level.toLowerCase() as LogLevel, options),
  },
  {
    name: 'reset',
    description: 'Forget what was set for workers: their configuration and flags hold again.',
    give: (control, _, options) => control.reset(options),
  },
]

export function addControl(program: Command): void {
  const control = program
    .command('control')
    .description('Tell workers what to do. What is set stays set, also after a restart.')
    .addHelpText(
      'after',
      `
Exits with 3 when no worker is running or one refuses, 4 when a worker or task is unknown, 5 when a worker does not reply.

Example:
  celeriac control pool-grow 4 -d 'mail@*'`,
    )
  for (const order of orders) addOrder(control, order)
  addCancel(control, ['revoke'])

  common(control.command('history'))
    .description('Who asked workers for what, and when; the newest first.')
    .option('--limit <number>', 'how many', '20')
    .action(tellHistory)

  for (const [name, word] of Object.entries(absent)) {
    addAbsent(control, name, word)
  }
}

function addOrder(control: Command, order: Order): void {
  const command = asking(control.command(order.name).aliases(order.aliases ?? [])).description(
    order.description,
  )
  for (const [name, description] of order.arguments ?? []) command.argument(name, description)
  for (const option of order.options ?? []) command.addOption(option)
  if (order.example) command.addHelpText('after', `\nExample:\n  ${order.example}`)
  command.action(async () => {
    const flags = command.opts<AskFlags>()
    const options = toAskOptions(flags)
    const given = { arguments: command.args, flags: command.opts() }
    const { withApp, withDoor } = await import('./open.js')
    const give = async ({ control: face }: { readonly control: Control }) => {
      const answer = await order.give(face, given, options)
      tellAnswer(answer, flags, { show: tellReplies, ...(order.holds ? { holds: order.holds } : {}) })
    }
    await (order.needsTasks ? withApp(flags, give) : withDoor(flags, give))
  })
}

/** What Celery has, and what to do here. */
const absent: Readonly<Record<string, string>> = {
  terminate:
    'Say: celeriac control cancel <id>. A task that runs in a pool (pool: "thread" or "process") is ended though it does not heed its signal.',
  revoke_by_stamped_headers: 'Say: celeriac jobs cancel --tag <tag>',
  enable_events: 'Events are always recorded: celeriac events',
  disable_events: 'Events are always recorded: celeriac events',
  heartbeat: 'Workers renew their lease by themselves: celeriac status',
  election: 'Workers elect nobody: each pass of maintenance is run by whoever comes first.',
}

function tellReplies(replies: readonly WorkerReply<unknown>[]): string {
  return replies.map(({ worker, value }) => `${worker.name}: ${tellValue(value)}`).join('\n')
}

/** `concurrency 5, queues default mail`. */
function tellValue(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value)
  return Object.entries(value)
    .filter(([, each]) => each !== null)
    .map(([name, each]) => `${name} ${tellEach(each)}`)
    .join(', ')
}

function tellEach(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? '(none)' : value.join(' ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function toScope(text: string): LimitScope {
  return text.startsWith('queue:') ? { queue: text.slice('queue:'.length) } : { task: text }
}

/** Celery's bare number is starts a second. */
function toRate(text: string): string {
  return /^\d+$/.test(text) ? `${text}/s` : text
}

function toTimeLimit(soft: string, hard: string | undefined) {
  if (soft === 'none' && hard === undefined) return null
  if (soft === 'none') throw new ConfigError('"none" stands alone: celeriac control time-limit <task> none')
  const limit = { soft: toTime(soft, 'soft') }
  return hard === undefined ? limit : { ...limit, hard: toTime(hard, 'hard') }
}

async function tellHistory(flags: CommonFlags & { readonly limit: string }): Promise<void> {
  const limit = wholeNumber(flags.limit, '--limit')
  const { withDoor } = await import('./open.js')
  await withDoor(flags, async ({ control }) => {
    const commands = await control.commands(limit)
    if (flags.json) {
      for (const command of commands) printJson(command)
      return
    }
    const rows = commands.map(({ askedAt, verb, args, workers, askedBy, askedFrom }) => [
      ...[askedAt.toISOString(), verb, args === '{}' ? '' : args, String(workers.length)],
      `${askedBy ?? 'somebody'} (${askedFrom})`,
    ])
    print(tableOr(['when', 'what', '', 'workers', 'who'], rows, 'Nothing was asked of workers.'))
  })
}
