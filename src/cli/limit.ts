import { hostname, userInfo } from 'node:os'
import type { App } from '../app.js'
import type { LimitScope, LimitStatus } from '../enqueue/limits.js'
import { ConfigError } from '../errors.js'
import type { Concurrency, LimitsOptions, RateLimit } from '../job/limit.js'
import { type CommonFlags, openForCommand, readConfig } from './open.js'

export interface ScopeFlags extends CommonFlags {
  readonly task?: string
  readonly queue?: string
}

export interface LimitFlags extends ScopeFlags {
  readonly rate?: string
  readonly concurrency?: string
  readonly keyRate?: string
  readonly keyConcurrency?: string
  readonly by?: string
}

/** `celeriac limit list`: what holds now. */
export async function runLimitList(flags: CommonFlags): Promise<void> {
  await withApp(flags, async ({ limits }) => {
    const found = await limits.list()
    print(found.length === 0 ? 'No task and no queue has limits.' : table(found))
  })
}

/** `celeriac limit set`: changes a limit while the app runs. */
export async function runLimitSet(flags: LimitFlags): Promise<void> {
  await withApp(flags, async ({ limits }) => {
    await limits.set(toScope(flags), toLimits(flags), {
      by: flags.by ?? `${userInfo().username}@${hostname()}`,
    })
    print('Set. It holds everywhere within seconds.')
  })
}

/** `celeriac limit reset`: goes back to what code and configuration say. */
export async function runLimitReset(flags: ScopeFlags): Promise<void> {
  await withApp(flags, async ({ limits }) => {
    print((await limits.reset(toScope(flags))) ? 'Reset.' : 'Nothing was set.')
  })
}

async function withApp(flags: CommonFlags, work: (app: App) => Promise<void>): Promise<void> {
  let fail: (error: unknown) => void = () => {}
  const failed = new Promise<never>((_, reject) => {
    fail = reject
  })
  const app = openForCommand(await readConfig(flags, { logger: 'warn' }), fail)
  try {
    await Promise.race([app.backend().then(() => work(app)), failed])
  } finally {
    await app.close()
  }
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

function table(found: readonly LimitStatus[]): string {
  const rows = [['', 'rate', 'at once', 'per key', 'waiting', 'running', 'set by'], ...found.map(toRow)]
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0))) ?? []
  return rows
    .map((row) =>
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

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

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
