import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Operation } from '../../src/control/operations.js'
import type { Celeriac } from '../../src/plugin.js'
import { defineTask } from '../../src/task/define.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs, type Servers } from '../support/lab.js'
import { until } from '../support/until.js'

closeJobsAfterEach()
vi.setConfig({ testTimeout: 400_000 })

const root = fileURLToPath(new URL('../..', import.meta.url))
const program = 'test/fixtures/operations/process.ts'
const many = 2000
const patient = { timeoutMs: 150_000, everyMs: 100 }

const common = { heartbeat: '400ms', lease: '4s', attempts: 1, tasks: {} } as const

interface Web {
  readonly child: ChildProcess
  output(): string
}

/** @param batch begins an operation, with so many jobs in a batch */
async function startWeb({ database, broker = '' }: Servers, batch = ''): Promise<Web> {
  const child = spawn(process.execPath, ['--import', 'tsx', program, database, broker, batch], { cwd: root })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  const read = (chunk: Buffer) => {
    output += chunk.toString()
  }
  child.stdout?.on('data', read)
  child.stderr?.on('data', read)
  await until(() => output.includes('ready'), { timeoutMs: 60_000 })
  return { child, output: () => output }
}

async function connect(database: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  onTestFinished(() => client.end())
  return client
}

/** As jobs would be that failed an hour ago. */
async function addFailed(client: pg.Client): Promise<void> {
  await client.query(
    `INSERT INTO celeriac.job (id, task, queue, state, payload, created_at, run_at, dispatched_at, started_at, finished_at, attempt, failures, error)
     SELECT gen_random_uuid(), 'test.work', 'q' || n % 3, 'failed', 'null', at, at, at, at, at + n * interval '1 millisecond', 1, 1,
       '{"name":"Error","message":"boom"}'
     FROM generate_series(1, ${many}) AS n, (SELECT now() - interval '1 hour' AS at) AS a`,
  )
}

function watch(jobs: Celeriac, id: string) {
  async function progress(): Promise<Operation> {
    const found = await jobs.operations.progress(id)
    if (!found) throw new Error('The operation is gone.')
    return found
  }

  async function reaches(hasCome: (operation: Operation) => boolean): Promise<void> {
    await until(async () => {
      const now = await progress()
      if (hasCome(now)) return true
      throw new Error(JSON.stringify(now))
    }, patient)
  }

  return { progress, reaches }
}

/** How often jobs were given to the broker, and how many were so. */
async function deliveries(client: pg.Client): Promise<Record<number, number>> {
  const { rows } = await client.query<{ delivery: number; jobs: number }>(
    'SELECT delivery, count(*)::int AS jobs FROM celeriac.job GROUP BY 1 ORDER BY 1',
  )
  return Object.fromEntries(rows.map(({ delivery, jobs }) => [delivery, jobs]))
}

describe.each(brokers)('operations of many processes, on %s', (kind) => {
  test('two processes are killed in the middle of a retry: another goes on, and each job is retried once', async () => {
    const servers = await freshServers(kind)
    const starts = new Map<string, number>()
    // What is retried fails again at once, so that the filter would mean it once more.
    const work = defineTask((_: unknown, { id }) => {
      starts.set(id, (starts.get(id) ?? 0) + 1)
      throw new Error('broken still')
    })
    const tasks = { test: { work } }
    const jobs = await openJobs({
      ...servers,
      ...common,
      tasks,
      worker: false,
      heartbeat: '1h',
      lease: '10h',
    })
    const client = await connect(servers.database)
    await addFailed(client)
    const first = await startWeb(servers, '20')
    const id = /begun (\S+)/.exec(first.output())?.[1] ?? ''
    const { progress, reaches } = watch(jobs, id)
    await reaches(({ done }) => done > 200)

    first.child.kill('SIGKILL')
    await reaches(({ state }) => state === 'interrupted')
    const { done } = await progress()
    const second = await startWeb(servers)
    await reaches((now) => now.done > done + 200)
    second.child.kill('SIGKILL')
    await reaches(({ state }) => state === 'interrupted')
    await startWeb(servers)
    await openJobs({ ...servers, ...common, tasks, worker: { concurrency: 8, queues: ['q0', 'q1', 'q2'] } })
    await reaches(({ state }) => state === 'done')

    expect(done).toBeLessThan(many)
    expect(await progress()).toMatchObject({
      ...{ done: many, affected: many, counts: { retried: many }, matched: many, isMore: false, by: 'ann' },
    })
    await until(async () => (await jobs.count({ state: 'failed' }, 10_000)).count === many, patient)
    expect(await deliveries(client)).toEqual({ 2: many })
    expect([...starts.values()].every((count) => count === 1)).toBe(true)
    expect(starts.size).toBe(many)
  })

  test('a process that was suspended finds its operation taken, and does nothing more', async () => {
    const servers = await freshServers(kind)
    const jobs = await openJobs({ ...servers, ...common, worker: false })
    const client = await connect(servers.database)
    await addFailed(client)
    const { child, output } = await startWeb(servers, '20')
    const id = /begun (\S+)/.exec(output())?.[1] ?? ''
    const { progress, reaches } = watch(jobs, id)
    await reaches(({ done }) => done > 200)

    child.kill('SIGSTOP')
    await reaches(({ state }) => state === 'interrupted')
    await reaches(({ state }) => state === 'running' || state === 'done')
    child.kill('SIGCONT')
    await reaches(({ state }) => state === 'done')

    expect(await progress()).toMatchObject({ done: many, counts: { retried: many } })
    expect(await deliveries(client)).toEqual({ 2: many })
  })

  test('it goes on when the store comes back', async () => {
    const servers = await freshServers(kind)
    const jobs = await openJobs({ ...servers, ...common, worker: false })
    const client = await connect(servers.database)
    await addFailed(client)
    const { id } = await jobs.operations.start('retry', { state: 'failed' }, { batch: 20 })
    const { progress, reaches } = watch(jobs, id)
    await reaches(({ done }) => done > 200)

    for (let times = 0; times < 5; times += 1) {
      await client.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND application_name LIKE 'celeriac%'`,
      )
      await new Promise((resolve) => setTimeout(resolve, 300))
    }
    await reaches(({ state }) => state === 'done')

    expect(await progress()).toMatchObject({ done: many, counts: { retried: many } })
    expect(await deliveries(client)).toEqual({ 2: many })
  })
})
