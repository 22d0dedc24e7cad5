import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import pg from 'pg'
import { v7 as uuidv7 } from 'uuid'
import { describe, expect, onTestFinished, test } from 'vitest'
import { migratePostgresBroker } from '../../src/broker/postgres.js'
import { judgeAll } from '../../src/check/check.js'
import { gatherFacts } from '../../src/check/facts.js'
import { checks } from '../../src/check/list.js'
import { configHash } from '../../src/config/agreement.js'
import { withConfigFile } from '../../src/config/define.js'
import { readEnvironment } from '../../src/config/env.js'
import { resolveConfig } from '../../src/config/resolve.js'
import { migrate } from '../../src/store/migrate.js'
import { createPrismaStore } from '../../src/store/prisma.js'
import type { NewWorker, Store } from '../../src/store/store.js'
import * as work from '../fixtures/check/sound/modules/work/tasks.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs, type Servers } from '../support/lab.js'
import { createPooler } from '../support/pooler.js'
import { scratchFolder } from '../support/scratch.js'
import { freePort } from '../support/server.js'
import { freshDatabase, freshRedis, startPostgres, startRedis } from '../support/servers.js'
import { root, runCeleriac } from './command-line.js'

closeJobsAfterEach()

const log = { info() {}, warn() {} }

interface Finding {
  readonly id: string
  readonly level: 'ok' | 'warning' | 'fault' | 'skipped'
  readonly message: string
  readonly cure?: string
}

interface SetUp {
  readonly database?: string
  readonly broker?: string
  /** Below `test/fixtures/check`. */
  readonly app?: string
  readonly variables?: Readonly<Record<string, string>>
  readonly args?: readonly string[]
}

function run(setUp: SetUp) {
  const { app = 'sound', args = [] } = setUp
  return runCeleriac(['check', '-A', `test/fixtures/check/${app}`, ...args], {
    variables: variablesOf(setUp),
  })
}

function variablesOf({ database, broker, variables = {} }: SetUp): Readonly<Record<string, string>> {
  return {
    ...(database ? { DATABASE_URL: database } : {}),
    ...(broker ? { CELERIAC_BROKER_URL: broker } : {}),
    ...variables,
  }
}

/** What the real command finds wrong, as JSON. */
async function check(setUp: SetUp) {
  const { code, out, err } = await run({ ...setUp, args: ['--json', ...(setUp.args ?? [])] })
  if (out === '') throw new Error(`It printed nothing:\n${err}`)
  return { code, ...told((JSON.parse(out) as { findings: Finding[] }).findings) }
}

const configFile = join(root, 'test/fixtures/check/sound/celeriac.config.ts')

/** What the command would find, learnt and judged in this process: a start of Node for each fault takes its time. */
async function judge(setUp: SetUp) {
  const environment = readEnvironment(variablesOf(setUp))
  const readConfig = async () => resolveConfig(withConfigFile({ tasks: { work } }, configFile), environment)
  return told(judgeAll(checks, await gatherFacts({ environment, node: process.version, readConfig })))
}

function told(findings: readonly Finding[]) {
  const wrong = findings.filter(({ level }) => level === 'fault' || level === 'warning')
  return { wrong, find: (id: string) => findings.find((finding) => finding.id === id) }
}

/** A set-up with its tables, on PostgreSQL alone or with Redis. */
async function sound(kind: (typeof brokers)[number] = 'redis'): Promise<Servers> {
  const servers = await freshServers(kind)
  await migrate({ url: servers.database, log })
  if (kind === 'postgres') await migratePostgresBroker(servers.database)
  return servers
}

async function sql(url: string, ...statements: string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  for (const statement of statements) await client.query(statement)
  await client.end()
}

function openStore(database: string): Store {
  const store = createPrismaStore({ url: database, directUrl: database, deadlineMs: 20_000, log })
  onTestFinished(() => store.close())
  return store
}

/** A worker's row, as a live worker has it. */
async function register(database: string, change: Partial<NewWorker>): Promise<void> {
  await openStore(database).registerWorker({
    ...{ id: uuidv7(), name: 'celeriac@far', host: 'far', pid: 1, queues: ['default', 'mail'] },
    ...{ tasks: ['work.add', 'work.send'], concurrency: 1, version: '0', configHash: hashOf(database) },
    ...{ missedLimit: 5, lockKey: 1n },
    ...change,
  })
}

function hashOf(database: string, options = {}): string {
  return configHash(resolveConfig({ database, broker: 'redis://localhost', ...options }, readEnvironment({})))
}

/** Says something else than the server, of the same length. */
async function lying(url: string, truth: RegExp, lie: (said: string) => string): Promise<string> {
  const { hostname, port } = new URL(url)
  const { connect } = await import('node:net')
  const server: Server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    client.on('error', () => {}).pipe(upstream)
    upstream.on('error', () => {})
    upstream.on('data', (chunk) =>
      client.write(Buffer.from(chunk.toString('latin1').replace(truth, lie), 'latin1')),
    )
    upstream.on('close', () => client.destroy())
    client.on('close', () => upstream.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const address = server.address()
  const lies = new URL(url)
  lies.port = String(typeof address === 'object' ? address?.port : '')
  return lies.href
}

/** Makes Node say something else of itself. */
function preload(script: string): Readonly<Record<string, string>> {
  return { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(script)}` }
}

async function ownPostgres(settings: readonly string[] = []): Promise<string> {
  const server = await startPostgres({ settings })
  onTestFinished(() => server.stop())
  return server.url
}

async function ownRedis(...args: string[]): Promise<string> {
  const server = await startRedis({ args })
  onTestFinished(() => server.stop())
  return server.url
}

describe('a sound set-up', { timeout: 120_000 }, () => {
  test.each(brokers)('passes with the broker on %s, and every check is told', async (kind) => {
    const servers = await sound(kind)

    const { code, wrong, find } = await check(servers)

    // Nothing runs in it, and the shared Redis of the tests keeps nothing on disk.
    expect(wrong.map(({ id }) => id)).toEqual([
      ...(kind === 'redis' ? ['broker-persistence'] : []),
      'tasks-served',
    ])
    expect(find('migrations')).toMatchObject({ level: 'ok', message: 'up to date' })
    expect(code).toBe(0)
  })

  test('is told in lines, each fault with its cure below it', async () => {
    const servers = await sound()
    await register(servers.database, {})

    const [well, ill] = await Promise.all([
      run({ ...servers, broker: await ownRedis() }),
      run({ ...servers, broker: `redis://127.0.0.1:${await freePort()}` }),
    ])

    expect(well.code).toBe(0)
    expect(well.out).toMatch(/^✓ Node.js: v/)
    expect(well.out).toMatch(/\nAll is well\.\n$/)
    expect(ill.code).toBe(1)
    expect(ill.out).toMatch(
      /\n✗ broker is reached: Redis at .* does not answer: .*\n {4}Start it, or correct/,
    )
    expect(ill.out).toMatch(/\n1 fault, 0 warnings\.\n$/)
    expect(ill.out).not.toContain('\u001b')
  })

  test('with a warning fails where --strict is said', async () => {
    const servers = await sound()

    const codes = await Promise.all([[], ['--strict']].map((args) => run({ ...servers, args })))

    expect(codes.map(({ code }) => code)).toEqual([0, 1])
  })
})

interface Broken {
  readonly name: string
  readonly setUp: () => Promise<SetUp>
  readonly id: string
  readonly fault: RegExp
  readonly cure: RegExp
  readonly level?: 'warning'
}

/** For a command of its own: what is wrong with it is its process, its files, or what it exits with. */
const brokenAlone: readonly Broken[] = [
  {
    name: 'no config file',
    setUp: async () => ({ app: 'nowhere' }),
    id: 'config',
    fault: /nowhere: there is no such file, and no folder with a celeriac\.config/,
    cure: /Correct/,
  },
  {
    name: 'a config file that throws',
    setUp: async () => ({ app: 'throws' }),
    id: 'config',
    fault: /celeriac\.config\.ts threw while it was loaded: MAIL_KEY is not set/,
    cure: /Correct/,
  },
  {
    name: 'an option that there is not',
    setUp: async () => ({ app: 'unknown-option' }),
    id: 'config',
    fault: /"moduls"/,
    cure: /"modules"/,
  },
  {
    name: 'a tasks file that throws',
    setUp: async () => ({ ...(await sound()), app: 'broken-task' }),
    id: 'tasks',
    fault: /tasks\.ts.*mailer is not a function/,
    cure: /Mend/,
  },
  {
    name: 'no tasks',
    setUp: async () => ({ ...(await sound()), app: 'no-tasks' }),
    id: 'tasks',
    fault: /modules/,
    cure: /tasks\.ts|"modules"/,
  },
  {
    name: 'a Redis that is not there',
    setUp: async () => ({ ...(await sound()), broker: `redis://127.0.0.1:${await freePort()}` }),
    id: 'broker-reachable',
    fault: /Redis at .* does not answer/,
    cure: /correct host and port of REDIS_URL/,
  },
  {
    name: 'a Redis that keeps nothing on disk',
    async setUp() {
      const server = await startRedis({ durable: false })
      onTestFinished(() => server.stop())
      return { ...(await sound()), broker: server.url, args: ['--strict'] }
    },
    id: 'broker-persistence',
    fault: /no append-only file/,
    cure: /appendonly yes/,
    level: 'warning',
  },
  {
    name: 'a clock that goes wrong',
    async setUp() {
      const ahead = 'const now = Date.now; Date.now = () => now() + 3_600_000'
      return { ...(await sound()), variables: preload(ahead) }
    },
    id: 'clock',
    fault: /clock is 36\d\d\.\d s ahead of that of (PostgreSQL|Redis)/,
    cure: /NTP/,
  },
  {
    name: 'a Node that is too old',
    async setUp() {
      const old = `Object.defineProperty(process, 'version', { value: 'v18.20.1' })`
      return { ...(await sound()), variables: preload(old) }
    },
    id: 'node',
    fault: /Node v18\.20\.1 is too old/,
    cure: /20\.19 or later/,
  },
]

/** The servers, and what is in them. */
const brokenServers: readonly Broken[] = [
  {
    name: 'a database server that is not there',
    setUp: async () => ({
      ...(await sound()),
      database: `postgres://app@127.0.0.1:${await freePort()}/shop`,
    }),
    id: 'database-reachable',
    fault: /127\.0\.0\.1:\d+\/shop does not serve: connect ECONNREFUSED/,
    cure: /Start it, or correct host and port of DATABASE_URL/,
  },
  {
    name: 'a wrong password',
    async setUp() {
      const file = join(mkdtempSync(join(scratchFolder(), 'hba-')), 'pg_hba.conf')
      writeFileSync(file, 'host all all 127.0.0.1/32 scram-sha-256\n', { mode: 0o644 })
      const { chmodSync } = await import('node:fs')
      chmodSync(join(file, '..'), 0o755)
      return { broker: await freshRedis(), database: await ownPostgres([`hba_file=${file}`]) }
    },
    id: 'database-login',
    fault: /refuses the login: password authentication failed/,
    cure: /Correct user and password in DATABASE_URL/,
  },
  {
    name: 'a database that was not made',
    async setUp() {
      const url = new URL(await freshDatabase())
      url.pathname = '/shop'
      return { broker: await freshRedis(), database: url.href }
    },
    id: 'database-exists',
    fault: /no such database: database "shop" does not exist/,
    cure: /Create it \(createdb\), or correct the name/,
  },
  {
    name: 'a database that takes no writes',
    async setUp() {
      const servers = await sound()
      const name = new URL(servers.database).pathname.slice(1)
      await sql(servers.database, `ALTER DATABASE ${name} SET default_transaction_read_only = on`)
      return servers
    },
    id: 'database-writable',
    fault: /is read-only/,
    cure: /primary server/,
  },
  {
    name: 'a PostgreSQL that is too old',
    async setUp() {
      const servers = await sound()
      return {
        ...servers,
        database: await lying(servers.database, /180(\d{3})/g, (said) => `12${said.slice(2)}`),
      }
    },
    id: 'database-version',
    fault: /PostgreSQL 18.* is too old/,
    cure: /14 or later/,
  },
  {
    name: 'a pooler in transaction mode that the URL does not tell',
    async setUp() {
      const servers = await sound()
      const pooler = await createPooler(servers.database)
      onTestFinished(() => pooler.close())
      return { ...servers, database: pooler.url }
    },
    id: 'pooler',
    fault: /DATABASE_URL leads through a pooler in transaction mode/,
    cure: /Set DIRECT_URL/,
  },
  {
    name: 'a pooler in transaction mode without DIRECT_URL',
    async setUp() {
      const servers = await sound()
      return { ...servers, database: `${servers.database}?pgbouncer=true` }
    },
    id: 'config',
    fault: /DATABASE_URL leads through a transaction pooler/,
    cure: /Set DIRECT_URL/,
  },
  {
    name: 'too few connections',
    async setUp() {
      const database = await ownPostgres(['max_connections=20'])
      await migrate({ url: database, log })
      return { broker: await freshRedis(), database }
    },
    id: 'connections',
    fault: /1 worker and a web process open up to \d+ connections, and \d+ are free.*max_connections 20/,
    cure: /Raise max_connections/,
  },
  {
    name: 'no tables',
    async setUp() {
      const servers = { database: await freshDatabase(), broker: await freshRedis() }
      return { ...servers, variables: { NODE_ENV: 'production' } }
    },
    id: 'migrations',
    fault: /no tables of Celeriac/,
    cure: /npx celeriac migrate/,
  },
  {
    name: 'tables of a newer version',
    async setUp() {
      const servers = await sound()
      await sql(
        servers.database,
        `INSERT INTO celeriac._prisma_migrations (id, checksum, migration_name, finished_at)
         VALUES ('later', 'x', '29991231000000_later', now())`,
      )
      return servers
    },
    id: 'migrations',
    fault: /newer than this version of celeriac.*29991231000000_later/,
    cure: /Install the version/,
  },
  {
    name: 'tables that were edited',
    async setUp() {
      const servers = await sound()
      await sql(servers.database, `UPDATE celeriac._prisma_migrations SET checksum = repeat('0', 64)`)
      return servers
    },
    id: 'migrations',
    fault: /applied with other SQL/,
    cure: /install the version of celeriac that migrated/i,
  },
  {
    name: 'a Redis that wants a password',
    setUp: async () => ({ ...(await sound()), broker: await ownRedis('--requirepass', 'secret') }),
    id: 'broker-login',
    fault: /refuses the login: .*NOAUTH/,
    cure: /redis:\/\/user:password@host/,
  },
  {
    name: 'a Redis that is too old',
    setUp: async () => ({
      ...(await sound()),
      broker: await lying(await ownRedis(), /redis_version:\d/g, () => 'redis_version:5'),
    }),
    id: 'broker-version',
    fault: /Redis 5\.\S+ is too old/,
    cure: /6\.2 or later/,
  },
  {
    name: 'a Redis that is a replica',
    async setUp() {
      const primary = await startRedis()
      onTestFinished(() => primary.stop())
      const broker = await ownRedis('--replicaof', '127.0.0.1', String(primary.port))
      return { ...(await sound()), broker }
    },
    id: 'broker-replica',
    fault: /read-only replica/,
    cure: /primary server/,
  },
  {
    name: 'a Redis that throws keys away',
    setUp: async () => ({ ...(await sound()), broker: await ownRedis('--maxmemory-policy', 'allkeys-lru') }),
    id: 'broker-eviction',
    fault: /maxmemory-policy is allkeys-lru/,
    cure: /CONFIG SET maxmemory-policy noeviction/,
  },
  {
    name: 'another broker than before',
    async setUp() {
      const servers = await sound()
      await sql(servers.database, 'UPDATE celeriac.installation SET broker_mark = 7')
      return servers
    },
    id: 'broker-mark',
    fault: /another broker before: this one has no mark of it under the prefix "celeriac"/,
    cure: /REDIS_URL .* and "prefix"/,
  },
  {
    name: 'a worker with another prefix',
    async setUp() {
      const servers = await sound()
      await register(servers.database, { configHash: hashOf(servers.database, { prefix: 'shop' }) })
      return servers
    },
    id: 'prefix',
    fault: /Worker celeriac@far has another "prefix" than "celeriac"/,
    cure: /one celeriac\.config/,
  },
  {
    name: 'a worker with another configuration',
    async setUp() {
      const servers = await sound()
      await register(servers.database, {
        configHash: hashOf(servers.database, { attempts: 3, queue: 'main' }),
      })
      return servers
    },
    id: 'agreement',
    fault: /Worker celeriac@far runs with another queue, attempts than is configured here/,
    cure: /restart those that began before/,
  },
  {
    name: 'a task that no worker knows',
    async setUp() {
      const servers = await sound()
      await register(servers.database, { tasks: ['work.send'] })
      return servers
    },
    id: 'tasks-served',
    fault: /No live worker knows the task "work\.add", though queue "default" is served/,
    cure: /restart them with this one/,
  },
  {
    name: 'a task in a queue that no worker serves',
    async setUp() {
      const servers = await sound()
      await register(servers.database, { queues: ['default'] })
      return servers
    },
    id: 'tasks-served',
    fault: /task "work\.send" go to queue "mail", which no live worker serves/,
    cure: /celeriac worker .*-Q mail/,
  },
  {
    name: 'work that waits for nobody',
    async setUp() {
      const servers = await sound()
      const jobs = await openJobs({ ...servers, tasks: { work } })
      await jobs.enqueue(work.send)
      await sql(servers.database, `UPDATE celeriac.job SET run_at = now() - interval '1 minute'`)
      return servers
    },
    id: 'queues-served',
    fault: /Jobs wait in "mail", which no live worker serves/,
    cure: /celeriac worker .*-Q mail/,
  },
  {
    name: 'a dashboard that nobody may see in production',
    setUp: async () => ({ ...(await sound()), variables: { NODE_ENV: 'production' } }),
    id: 'dashboard',
    fault: /closed in production: there is no "authorize"/,
    cure: /authorize: \(req\)/,
    level: 'warning',
  },
]

describe('celeriac check names the fault and the cure', { timeout: 120_000 }, () => {
  test.each(brokenAlone)('$name, and exits with 1', async ({ setUp, ...broken }) => {
    const { code, ...findings } = await check(await setUp())

    expectNamed(broken, findings)
    expect(code).toBe(1)
  })

  test.each(brokenServers)('$name', async ({ setUp, ...broken }) => {
    expectNamed(broken, await judge(await setUp()))
  })
})

function expectNamed(
  { id, fault, cure, level }: Omit<Broken, 'setUp'>,
  { wrong, find }: ReturnType<typeof told>,
): void {
  expect(find(id), JSON.stringify(wrong)).toMatchObject({ level: level ?? 'fault' })
  expect(find(id)?.message).toMatch(fault)
  expect(find(id)?.cure).toMatch(cure)
  expect(JSON.stringify(wrong)).not.toContain('secret@')
}
