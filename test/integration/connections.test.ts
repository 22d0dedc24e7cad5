import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { startPostgres, startRedis } from '../support/servers.js'
import { until } from '../support/until.js'
import { startWorkerProcess } from '../support/worker-process.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const app = 'test/fixtures/ten-queues'
const brokers = ['redis', 'postgres'] as const
const roles = ['web', 'worker'] as const
type Role = (typeof roles)[number]

/** The figures of docs/architecture.md, "Processes, threads, connections". */
const pools: Record<Role, Readonly<Record<string, number>>> = {
  web: { 'celeriac store': 4, 'celeriac insert': 1, 'celeriac broker': 2 },
  worker: {
    'celeriac store': 4,
    'celeriac insert': 1,
    'celeriac claim': 1,
    'celeriac settle': 1,
    'celeriac listen': 1,
    'celeriac lease': 1,
    'celeriac broker': 7,
  },
}
const redisClients = { web: 1, worker: 3 }
/** Statements that an idle process sends to PostgreSQL in a second. */
const idleRate = { web: 1, worker: 2 }
/** Idle connections of the pools are closed after 10 s, and by then the rounds that come seldom have been at their start. */
const settleMs = 25_000
const measureMs = 20_000

test.each(brokers)(
  'with ten queues on %s, a process keeps to its connections under load',
  async (kind) => {
    const lab = await startLab(kind)
    const web = await startWeb(lab)
    await startWorkerProcess({ ...lab.serversOf('worker'), app, args: ['-c', '4'] })

    const seen = lab.watchConnections()
    for (let round = 0; round < 10; round += 1) {
      const answers = await Promise.all(Array.from({ length: 20 }, () => askForAll(web.port)))
      expect(answers.flat()).toEqual(Array(200).fill(2))
    }
    const most = await seen.stop()

    for (const role of roles) {
      for (const [pool, count] of Object.entries(most[role].postgres))
        expect(count, `${role}: ${pool}`).toBeLessThanOrEqual(pools[role][pool] ?? 0)
      expect(most[role].redis, role).toBe(kind === 'redis' ? redisClients[role] : 0)
    }
  },
  120_000,
)

test('idle, with ten queues, a web process asks PostgreSQL less than once a second, a worker less than twice', async () => {
  const labs = await Promise.all(
    brokers.flatMap((kind) => roles.map(async (role) => ({ kind, role, lab: await startLab(kind) }))),
  )
  await Promise.all(
    labs.map(({ role, lab }) =>
      role === 'web' ? startWeb(lab) : startWorkerProcess({ ...lab.serversOf(role), app, args: ['-c', '4'] }),
    ),
  )
  await pause(settleMs)
  for (const { lab } of labs) lab.forget()
  await pause(measureMs)

  for (const { kind, role, lab } of labs) {
    const asked = lab.statements()
    const rate = Object.values(asked).reduce((sum, count) => sum + count, 0) / (measureMs / 1000)
    const connections = (await lab.connections())[role]
    expect(rate, `${role} on ${kind}: ${JSON.stringify(asked)}`).toBeLessThan(idleRate[role])
    expect(rate, `${role} on ${kind}`).toBeGreaterThan(0)
    expect(connections.redis).toBe(kind === 'redis' ? redisClients[role] : 0)
  }
}, 120_000)

interface Connections {
  /** By `application_name`. */
  readonly postgres: Readonly<Record<string, number>>
  readonly redis: number
}

interface Lab {
  /** Each role has a user of its own, by which its connections are told from others. */
  serversOf(role: Role): { readonly database: string; readonly broker?: string }
  connections(): Promise<Record<Role, Connections>>
  /** Looks all the time until `stop`, which gives the most of each that there were. */
  watchConnections(): { stop(): Promise<Record<Role, Connections>> }
  /** How many statements PostgreSQL got since the last `forget`, by `application_name`. */
  statements(): Readonly<Record<string, number>>
  forget(): void
}

async function startLab(kind: (typeof brokers)[number]): Promise<Lab> {
  let lines: string[] = []
  const postgres = await startPostgres({
    settings: ['log_statement=all', 'log_line_prefix=[%u %a] '],
    onOutput: (text) => void lines.push(...text.split('\n')),
  })
  onTestFinished(() => postgres.stop())
  const redis = kind === 'redis' ? await startRedis() : undefined
  onTestFinished(() => redis?.stop())
  const observer = new pg.Client({ connectionString: postgres.url })
  await observer.connect()
  onTestFinished(() => observer.end())
  const client = redis && new Redis(redis.url)
  onTestFinished(() => client?.disconnect())
  for (const role of roles) {
    await observer.query(`CREATE ROLE ${role} SUPERUSER LOGIN`)
    await client?.acl('SETUSER', role, 'on', '>secret', '~*', '&*', '+@all')
  }

  return {
    serversOf: (role) => ({
      database: withUser(postgres.url, role),
      ...(redis ? { broker: withUser(redis.url, role) } : {}),
    }),
    connections,
    watchConnections() {
      let watching = true
      const most: Record<Role, { postgres: Record<string, number>; redis: number }> = {
        web: { postgres: {}, redis: 0 },
        worker: { postgres: {}, redis: 0 },
      }
      const done = (async () => {
        while (watching) {
          const now = await connections()
          for (const role of roles) {
            most[role].redis = Math.max(most[role].redis, now[role].redis)
            for (const [pool, count] of Object.entries(now[role].postgres))
              most[role].postgres[pool] = Math.max(most[role].postgres[pool] ?? 0, count)
          }
          await pause(25)
        }
      })()
      return {
        async stop() {
          watching = false
          await done
          return most
        },
      }
    },
    statements: () =>
      countBy(
        lines.flatMap(
          (line) => /^\[(?:web|worker) (.*?)\] LOG: {2}(?:statement|execute .*?): /.exec(line)?.[1] ?? [],
        ),
      ),
    forget: () => {
      lines = []
    },
  }

  async function connections(): Promise<Record<Role, Connections>> {
    const { rows } = await observer.query<{ role: string; pool: string }>(
      `SELECT usename AS role, application_name AS pool FROM pg_stat_activity
       WHERE backend_type = 'client backend' AND application_name <> 'celeriac migrate' AND application_name <> ''`,
    )
    const list = client ? String(await client.client('LIST')).split('\n') : []
    const of = (role: Role) => ({
      postgres: countBy(rows.filter((row) => row.role === role).map((row) => row.pool)),
      redis: list.filter((line) => line.includes(` user=${role} `)).length,
    })
    return { web: of('web'), worker: of('worker') }
  }
}

async function startWeb(lab: Lab): Promise<{ readonly port: number }> {
  const { database, broker } = lab.serversOf('web')
  const child = spawn(process.execPath, ['--import', 'tsx', `${app}/web.ts`], {
    cwd: root,
    env: {
      ...process.env,
      NODE_ENV: 'development',
      CELERIAC_DATABASE_URL: database,
      CELERIAC_BROKER_URL: broker ?? database,
    },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const output = outputOf(child)
  const port = await until(() => /ready on (\d+)/.exec(output())?.[1], { timeoutMs: 60_000 })
  return { port: Number(port) }
}

function outputOf(child: ChildProcess): () => string {
  let output = ''
  const read = (chunk: Buffer) => {
    output += chunk.toString()
  }
  child.stdout?.on('data', read)
  child.stderr?.on('data', read)
  return () => output
}

async function askForAll(port: number): Promise<number[]> {
  const answer = await fetch(`http://127.0.0.1:${port}/all`, { method: 'POST' })
  return (await answer.json()) as number[]
}

function withUser(address: string, user: string): string {
  const url = new URL(address)
  url.username = user
  url.password = 'secret'
  return url.href
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
