import { release, type as systemType, totalmem } from 'node:os'
import type { Command } from 'commander'
import type { Facts } from '../check/facts.js'
import { readEnvironment } from '../config/env.js'
import { maskedConfig } from '../config/masked.js'
import type { KnownWorker } from '../store/store.js'
import { packageVersions } from '../telemetry/packages.js'
import { version } from '../version.js'
import { type CommonFlags, common, paint, print, printJson } from './kit.js'
import { tellBytes } from './show.js'

export function addReport(program: Command): void {
  common(program.command('report'))
    .description(
      'Print what a report of a fault should hold: versions, servers, tables, workers, options. No secrets.',
    )
    .addHelpText('after', '\nExample:\n  celeriac report > report.txt')
    .action(report)
}

/** What it prints. Addresses are without users, passwords and parameters. */
interface Report {
  readonly versions: Readonly<Record<string, string>>
  readonly packages: Readonly<Record<string, string>>
  readonly servers: Readonly<Record<string, string>>
  readonly tables: string
  readonly tasks: readonly string[] | string
  readonly workers: readonly WorkerLine[]
  readonly options: Readonly<Record<string, unknown>>
}

type WorkerLine = Pick<
  KnownWorker,
  'name' | 'version' | 'nodeVersion' | 'appVersion' | 'pool' | 'queues' | 'concurrency'
> & {
  readonly state: 'live' | 'stopped' | 'lost'
}

async function report(flags: CommonFlags): Promise<void> {
  const { readConfigOrDefaults } = await import('./open.js')
  const { gatherFacts } = await import('../check/facts.js')
  const facts = await gatherFacts({
    environment: readEnvironment(),
    node: process.version,
    readConfig: () => readConfigOrDefaults(flags),
  })
  const found = toReport(facts)
  if (flags.json) printJson(found)
  else print(tell(found))
  // What a tasks file opened when it was loaded may keep the process alive.
  process.stdout.write('', () => process.exit())
}

function toReport(facts: Facts): Report {
  const { config, tasks, node } = facts
  const { cores, isProduction } = readEnvironment()
  return {
    versions: {
      celeriac: version,
      node,
      platform: `${process.platform} ${process.arch}`,
      system: `${systemType()} ${release()}`,
      machine: `${cores} cores, ${tellBytes(totalmem())}`,
      NODE_ENV: isProduction ? 'production' : 'not production',
    },
    packages: packageVersions(),
    servers: serversOf(facts),
    tables: tablesOf(facts),
    tasks: tasks === undefined ? [] : typeof tasks === 'string' ? tasks : tasks.names,
    workers: (facts.cluster?.workers ?? []).map(toWorkerLine),
    options: typeof config === 'string' ? { error: config } : maskedConfig(config),
  }
}

function serversOf({ server, pooled, broker, addresses }: Facts): Record<string, string> {
  const kept: Record<string, string> = {}
  if (typeof addresses === 'string') kept.store = addresses
  if (server) kept.store = tellServer(server)
  if (pooled) kept.pooler = tellServer(pooled)
  if (broker?.kind === 'redis')
    kept.broker =
      'trouble' in broker.redis ? `Redis: ${broker.redis.message}` : `Redis ${broker.redis.version}`
  if (broker?.kind === 'postgres') kept.broker = broker.error ?? 'PostgreSQL'
  return kept
}

function tellServer(found: NonNullable<Facts['server']>): string {
  if ('trouble' in found) return `PostgreSQL: ${found.message}`
  const { version: its, isPooled, maxConnections, skewMs } = found
  const pooled = isPooled ? ', behind a transaction pooler' : ''
  return `PostgreSQL ${its}, ${maxConnections} connections${pooled}, its clock ${Math.round(Math.abs(skewMs))} ms from ours`
}

function tablesOf({ tables }: Facts): string {
  if (!tables) return 'unknown'
  if ('message' in tables) return tables.message
  if (tables.pending.length === 0) return `up to date (${tables.applied.join(', ')})`
  return `pending: ${tables.pending.join(', ')}`
}

function toWorkerLine(worker: KnownWorker): WorkerLine {
  const { name, nodeVersion, appVersion, pool, queues, concurrency, stoppedAt, lostAt } = worker
  const state = lostAt ? 'lost' : stoppedAt ? 'stopped' : 'live'
  return { name, state, version: worker.version, nodeVersion, appVersion, pool, queues, concurrency }
}

function tell({ versions, packages, servers, tables, tasks, workers, options }: Report): string {
  const lines = (values: Readonly<Record<string, unknown>>) =>
    Object.entries(values).map(
      ([name, value]) => `  ${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`,
    )
  const part = (title: string, body: readonly string[]) =>
    [paint('bold', title), ...(body.length === 0 ? ['  none'] : body)].join('\n')
  return [
    part('versions', lines({ ...versions, ...packages })),
    part('servers', lines({ ...servers, tables })),
    part('tasks', typeof tasks === 'string' ? [`  ${tasks}`] : tasks.map((name) => `  ${name}`)),
    part(
      'workers',
      workers.map((worker) => `  ${tellWorker(worker)}`),
    ),
    part('options', lines(options)),
  ].join('\n\n')
}

function tellWorker({
  name,
  state,
  version: its,
  nodeVersion,
  appVersion,
  pool,
  queues,
  concurrency,
}: WorkerLine): string {
  const app = appVersion === null ? '' : `, app ${appVersion}`
  return `${name} (${state}): celeriac ${its}, node ${nodeVersion}${app}, ${pool}, ${concurrency} at once, queues ${queues.join(', ')}`
}
