import type { Command } from 'commander'
import type { LimitScope, LimitStatus } from '../enqueue/limits.js'
import { ConfigError } from '../errors.js'
import type { Concurrency, LimitsOptions, RateLimit } from '../job/limit.js'
import { type CommonFlags, common, currentUser, print, printJson, table } from './kit.js'

interface ScopeFlags extends CommonFlags {
  readonly task?: string
  readonly queue?: string
}

interface LimitFlags extends ScopeFlags {
  readonly rate?: string
  readonly concurrency?: string
  readonly keyRate?: string
  readonly keyConcurrency?: string
  readonly by?: string
}

export function addLimit(program: Command): void {
  const limit = program.command('limit').description('See and change limits while the app runs.')

  common(limit.command('list'))
    .description('What holds now, for all tasks and queues that have limits.')
    .addHelpText('after', '\nExample:\n  celeriac limit list --json')
    .action(list)

  common(limit.command('set'))
    .description('Set limits; they go before what the code says. What is not named stays as it is.')
    .option('--task <name>', 'of a task')
    .option('--queue <name>', 'of a queue')
    .option('--rate <rate>', 'starts, as 100/s or 30/m; none lifts the limit')
    .option('--concurrency <number>', 'jobs that run at once; none lifts the limit')
    .option('--key-rate <rate>', 'starts of each key')
    .option('--key-concurrency <number>', 'jobs of each key that run at once')
    .option('--by <name>', 'who; kept with the limit (default: user@host)')
    .addHelpText(
      'after',
      '\nExample:\n  celeriac limit set --task media.resize --rate 10/s --concurrency none',
    )
    .action(set)

  common(limit.command('reset'))
    .description('Go back to what the code says.')
    .option('--task <name>', 'of a task')
    .option('--queue <name>', 'of a queue')
    .addHelpText('after', '\nExample:\n  celeriac limit reset --task media.resize')
    .action(reset)
}

async function list(flags: CommonFlags): Promise<void> {
  const { withApp } = await import('./open.js')
  await withApp(flags, async ({ limits }) => {
    const found = await limits.list()
    if (flags.json) return printJson(found)
    print(found.length === 0 ? 'No task and no queue has limits.' : table([head, ...found.map(toRow)]))
  })
}

async function set(flags: LimitFlags): Promise<void> {
  const { withApp } = await import('./open.js')
  await withApp(flags, async ({ limits }) => {
    await limits.set(toScope(flags), toLimits(flags), { by: flags.by ?? currentUser() })
    if (flags.json) return printJson({ set: true })
    print('Set. It holds everywhere within seconds.')
  })
}

async function reset(flags: ScopeFlags): Promise<void> {
  const { withApp } = await import('./open.js')
  await withApp(flags, async ({ limits }) => {
    const wasSet = await limits.reset(toScope(flags))
    if (flags.json) return printJson({ reset: wasSet })
    print(wasSet ? 'Reset.' : 'Nothing was set.')
  })
}

function toScope({ task, queue }: ScopeFlags): LimitScope {
  if (task !== undefined && queue === undefined) return { task }
  if (queue !== undefined && task === undefined) return { queue }
  throw new ConfigError('Name what the limit is for: --task <name> or --queue <name>.')
}

function toLimits({ rate, concurrency, keyRate, keyConcurrency }: LimitFlags): LimitsOptions {
  const rateLimit = scoped(rate, keyRate, (text) => text)
  const most = scoped(concurrency, keyConcurrency, toNumber)
  return {
    ...(rateLimit === undefined ? {} : { rateLimit: rateLimit as RateLimit | null }),
    ...(most === undefined ? {} : { concurrency: most as Concurrency | null }),
  }
}

/** `none` lifts the limit. */
function scoped<T>(task: string | undefined, key: string | undefined, read: (text: string) => T) {
  if (task === 'none') return null
  if (key === undefined) return task === undefined ? undefined : read(task)
  return { ...(task === undefined ? {} : { task: read(task) }), key: read(key) }
}

function toNumber(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : Number.NaN
}

const head = ['', 'rate', 'at once', 'per key', 'waiting', 'running', 'set by']

function toRow({ scope, rateLimit, concurrency, perKey, set, waiting, running }: LimitStatus): string[] {
  const perKeys = [perKey.rateLimit, perKey.concurrency].filter((each) => each !== null)
  return [
    'task' in scope ? scope.task : `queue ${scope.queue}`,
    rateLimit ?? '-',
    String(concurrency ?? '-'),
    perKeys.length === 0 ? '-' : perKeys.join(', '),
    String(waiting),
    String(running),
    set ? `${set.by ?? 'somebody'}, ${set.at.toISOString()}` : '-',
  ]
}
