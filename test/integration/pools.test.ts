import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import { describe, expect, test, vi } from 'vitest'
import { type Celeriac, celeriac, type JobHandle, type JobStatus } from '../../src/index.js'
import { type BrokerKind, brokers, freshServers, type Servers } from '../support/lab.js'
import { type OnEnd, shared } from '../support/shared.js'
import { until } from '../support/until.js'
import {
  type Effects,
  newEffects,
  startWorkerProcess,
  type WorkerProcess,
} from '../support/worker-process.js'

// Each worker loads TypeScript, and so does each of its threads and processes.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const app = fileURLToPath(new URL('../fixtures/pools', import.meta.url))
const pools = ['thread', 'process'] as const
const run = promisify(execFile)

interface Scene {
  readonly servers: Servers
  readonly effects: Effects
  readonly worker: WorkerProcess
  enqueue(task: string, payload?: unknown): Promise<JobHandle>
  /** The status at the end. */
  run(task: string, payload?: unknown): Promise<JobStatus>
  /** The job, when its handler runs. */
  start(task: string, payload?: unknown): Promise<JobHandle>
}

/** An app that enqueues, and a worker process whose tasks run in a pool. */
async function openScene(kind: BrokerKind, args: readonly string[], onEnd: OnEnd): Promise<Scene> {
  const servers = await freshServers(kind)
  const jobs: Celeriac = celeriac({ ...servers, modules: 'modules/*', root: app, logger: 'silent' })
  onEnd(() => jobs.close())
  await jobs.ready()
  const effects = newEffects()
  const worker = await startWorkerProcess({ ...servers, app, effects: effects.file, args, onEnd })
  const enqueue = (task: string, payload?: unknown) => jobs.enqueue(`work.${task}`, payload)
  return {
    ...{ servers, effects, worker, enqueue },
    async run(task, payload) {
      return ended(await enqueue(task, payload))
    },
    async start(task, payload) {
      const job = await enqueue(task, payload)
      await until(() => effects.of(job.id).some((note) => note.startsWith('start')), { timeoutMs: 60_000 })
      return job
    },
  }
}

/** One worker for the tests of a group that leave it as it was, or end it. */
function sharedScene(kind: BrokerKind, ...args: string[]): () => Promise<Scene> {
  return shared(
    (onEnd) => openScene(kind, args, onEnd),
    ({ worker }) => !isAlive(worker.pid),
  )
}

async function ended(job: JobHandle): Promise<JobStatus> {
  await until(async () => (await job.status()).finishedAt !== null, { timeoutMs: 90_000 })
  return job.status()
}

async function ask<Row extends object>(
  { database }: Servers,
  sql: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  try {
    return (await client.query<Row>(sql, values)).rows
  } finally {
    await client.end()
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe.each(pools)('a %s', (pool) => {
  const scenes = {
    redis: sharedScene('redis', '--pool', pool, '-c', '2'),
    postgres: sharedScene('postgres', '--pool', pool, '-c', '2'),
  }

  describe.each(brokers)('with %s', (kind) => {
    const scene = scenes[kind]

    test('runs a task as the worker would: schema, context, progress, log, result', async () => {
      const { run, worker, effects } = await scene()

      const status = await run('where', { n: 21 })

      expect(status).toMatchObject({ state: 'succeeded', progress: { percent: 50 } })
      expect(status.result).toMatchObject({
        twice: 42,
        facts: {
          id: status.id,
          task: 'work.where',
          queue: 'default',
          attempt: 1,
          maxAttempts: 1,
          owner: null,
        },
      })
      const { pid, threadId } = status.result as { pid: number; threadId: number }
      if (pool === 'process') expect(pid).not.toBe(worker.pid)
      else expect(pid === worker.pid && threadId > 0).toBe(true)
      expect(worker.output()).toContain('half way')
      expect(worker.output()).toContain('told')
      // The app's clients are opened in the worker and in its child.
      expect(effects.all().filter(({ event }) => event === 'opened').length).toBeGreaterThan(1)
    })

    test('frees the slot of a job in `while (true)` when it is cancelled from elsewhere', async () => {
      const { start, run } = await scene()
      const job = await start('forever')

      expect(await job.cancel({ by: 'ann', reason: 'too long' })).toBe('cancelling')

      expect(await ended(job)).toMatchObject({ state: 'cancelled', attempt: 1 })
      expect(await run('quick')).toMatchObject({ state: 'succeeded' })
    })

    test('is ended at a hard time limit, and the attempt says so', async () => {
      const { run } = await scene()

      const status = await run('foreverLimited')

      expect(status).toMatchObject({ state: 'failed', error: { name: 'TimeLimitError', code: 'TIME_LIMIT' } })
      const tookMs = Date.parse(status.finishedAt ?? '') - Date.parse(status.startedAt ?? '')
      expect(status.error?.message).toContain('hard time limit of 600 ms')
      // The child's own start is in it.
      expect(tookMs).toBeLessThan(10_000)
    })

    test('that ends by itself fails its own attempt, and no other', async () => {
      const { enqueue, run, worker } = await scene()
      const other = await enqueue('quick', 1500)

      const status = await run('die', 'exit')

      expect(status).toMatchObject({
        state: 'failed',
        error: { name: 'PoolChildLostError', code: 'POOL_CHILD_LOST' },
      })
      expect(status.error?.message).toContain('exit code 7')
      expect(await ended(other)).toMatchObject({ state: 'succeeded', attempt: 1 })
      expect(await run('quick')).toMatchObject({ state: 'succeeded' })
      expect(isAlive(worker.pid)).toBe(true)
    })
  })

  const scene = scenes.postgres

  test('hands errors back with their class, code, stack and cause, judged by the rules of their task', async () => {
    const { run, servers } = await scene()

    const [own, cause, nothing, giveUp, plain] = await Promise.all(
      ['own', 'cause', 'null', 'giveUp', 'plain'].map((how) => run('fail', how)),
    )

    // `giveUpOn` names the class, which only the child has.
    expect(own).toMatchObject({
      attempt: 1,
      error: { name: 'ShopClosedError', code: 'SHOP_CLOSED', message: 'no milk' },
    })
    expect(cause).toMatchObject({ attempt: 2, error: { name: 'TypeError', message: 'outer' } })
    expect(nothing).toMatchObject({ attempt: 2, error: { name: 'NonError' } })
    expect(giveUp).toMatchObject({ attempt: 1, error: { name: 'GiveUp', code: 'GIVE_UP' } })
    expect(plain).toMatchObject({ attempt: 2, error: { message: 'plain' } })
    const [row] = await ask<{ error: string }>(servers, 'SELECT error FROM celeriac.job WHERE id = $1', [
      cause?.id,
    ])
    const { stack } = JSON.parse(row?.error ?? '{}')
    expect(stack).toMatch(/TypeError: outer\n.*tasks\.ts:\d+/)
    expect(stack).toContain('Caused by: RangeError: inner')
  })

  test('gives a handler that answers its signal time to clean up', async () => {
    const { start, effects } = await scene()
    const job = await start('tidy', 1200)

    await job.cancel()

    expect(await ended(job)).toMatchObject({ state: 'cancelled' })
    expect(effects.of(job.id)).toEqual(['start 1', 'cancelled 1', 'tidied 1'])
  })

  test('has its signal aborted by a soft limit, with an error of the class that the app imports', async () => {
    const { run } = await scene()

    expect(await run('softLimited')).toMatchObject({ state: 'failed', error: { name: 'TimeLimitError' } })
  })

  test('leaves progress, heartbeats and other tasks undisturbed by a handler that never returns', async () => {
    const { run, start, worker } = await scene()
    const busy = await start('busy', 6000)

    await until(async () => Number((await busy.status()).progress) > 2)
    const here = await run('here')

    expect(here).toMatchObject({ state: 'succeeded', result: { pid: worker.pid, threadId: 0 } })
    expect((await busy.status()).state).toBe('running')
    // A lease of 2 s, three times over.
    expect(await ended(busy)).toMatchObject({ state: 'succeeded', attempt: 1 })
    expect(worker.output()).not.toContain('silent past its lease')
  })

  test('enqueues through its worker, as its job', async () => {
    const { run } = await scene()

    const [one, many, bad, tx] = await Promise.all(
      ['one', 'many', 'bad', 'tx'].map((how) => run('parent', how)),
    )

    expect(one).toMatchObject({ state: 'succeeded', result: { created: true } })
    expect(many?.result).toHaveLength(2)
    expect(bad).toMatchObject({
      state: 'failed',
      error: { name: 'PayloadInvalidError', code: 'PAYLOAD_INVALID' },
    })
    expect(tx).toMatchObject({ state: 'failed', error: { name: 'TransactionError' } })
  })

  test('records an end in the handler’s own transaction', async () => {
    const { run, servers } = await scene()

    const committed = await run('completing', 'commit')
    const rolledBack = await run('completing', 'rollback')

    expect(committed).toMatchObject({ state: 'succeeded', result: { kept: true } })
    expect(rolledBack).toMatchObject({ state: 'failed', error: { name: 'TransactionError' } })
    expect(await ask(servers, 'SELECT job FROM written')).toEqual([{ job: committed.id }])
  })

  test('that runs out of memory, or meets an error that nobody catches, says so', async () => {
    const { run } = await scene()

    const thrown = await run('die', 'throw')

    expect(thrown).toMatchObject({ state: 'failed', error: { name: 'PoolChildLostError' } })
    expect(thrown.error?.message).toMatch(/nobody caught: TypeError/)
  })

  if (pool === 'process') {
    test('that is killed from outside says by which signal', async () => {
      const { run } = await scene()

      expect((await run('die', 'SIGKILL')).error?.message).toContain('by SIGKILL')
      expect((await run('die', 'SIGSEGV')).error?.message).toContain('by SIGSEGV')
    })

    test('that dies after the commit of its job’s end leaves a success', async () => {
      const { run } = await scene()

      expect(await run('completing', 'die')).toMatchObject({ state: 'succeeded', result: { kept: true } })
    })
  }

  test('does not outlive a worker that is killed, though it never looks up', async () => {
    const { start, worker, effects } = await scene()
    const [spinning, resting] = [await start('forever'), await start('quick', 30_000)]
    const children = [effects.pidOf(spinning.id), effects.pidOf(resting.id)]

    worker.signal('SIGKILL')

    await until(() => !children.some(isAlive), { timeoutMs: 3000 })
    await worker.ended
  })

  describe('with one slot', () => {
    const kind = pool === 'thread' ? 'postgres' : 'redis'
    const scene = sharedScene(kind, '--pool', pool, '-c', '1')

    // The bench has the figures of a quiet machine: `npm run bench -- pools`.
    test(`a cancel frees the slot of \`while (true)\` within 1.5 s, with ${kind}`, async () => {
      const { start, enqueue } = await scene()
      const tookMs: number[] = []

      for (let sample = 0; sample < 3; sample += 1) {
        const spinning = await start('forever')
        const waiting = await enqueue('now')
        await until(async () => (await waiting.status()).state === 'queued')
        const cancelledAt = Date.now()
        await spinning.cancel()
        tookMs.push(Number((await ended(waiting)).result) - cancelledAt)
      }

      const slowest = Math.max(...tookMs)
      console.info(`cancel to the slot's next job, ${pool}, ${kind}: at most ${Math.round(slowest)} ms`)
      // Twice as long where the machine is shared.
      expect(slowest).toBeLessThan(3000)
    }, 400_000)

    test('may finish its job when the worker is told to stop', async () => {
      const { start, worker, effects } = await scene()
      const job = await start('quick', 1500)

      worker.signal('SIGTERM')

      expect(await worker.ended).toBe(0)
      expect(effects.of(job.id)).toEqual(['start 1', 'end 1'])
      expect(await ended(job)).toMatchObject({ state: 'succeeded' })
      expect(effects.all().filter(({ event }) => event === 'closed')).toHaveLength(2)
    })
  })

  describe('with little grace', () => {
    const scene = sharedScene(
      'postgres',
      ...['--pool', pool, '-c', '1', '--max-jobs-per-child', '3', '--grace', '300ms'],
    )

    test('is replaced after so many jobs, and each of them runs once', async () => {
      const { enqueue, effects } = await scene()

      const jobs = await Promise.all(Array.from({ length: 5 }, () => enqueue('quick', 5)))
      const statuses = await Promise.all(jobs.map((job) => ended(job)))

      const children = statuses.map(({ result }) => JSON.stringify(result))
      const counts = [...new Set(children)].map((child) => children.filter((each) => each === child).length)
      expect(statuses.every(({ state, attempt }) => state === 'succeeded' && attempt === 1)).toBe(true)
      expect(jobs.every(({ id }) => effects.of(id).join() === 'start 1,end 1')).toBe(true)
      expect(counts.sort()).toEqual([2, 3])
    })

    test('is killed at the end of the grace, and its job is given back', async () => {
      const { start, worker, effects } = await scene()
      const job = await start('forever')

      worker.signal('SIGTERM')

      expect(await worker.ended).toBe(0)
      expect(await job.status()).toMatchObject({ state: 'queued', attempt: 1 })
      await until(() => !isAlive(effects.pidOf(job.id)))
    })
  })

  describe('with little memory', () => {
    const limit = pool === 'process' ? '400MB' : '250MB'
    const scene = sharedScene('postgres', '--pool', pool, '-c', '1', '--max-memory-per-child', limit)

    test('is replaced when it holds too much of it, and no job is lost', async () => {
      const { enqueue } = await scene()

      const jobs = await Promise.all(Array.from({ length: 4 }, () => enqueue('grow', 100)))
      const statuses = await Promise.all(jobs.map((job) => ended(job)))

      const children = new Set(statuses.map(({ result }) => JSON.stringify(result)))
      expect(statuses.every(({ state, attempt }) => state === 'succeeded' && attempt === 1)).toBe(true)
      expect(children.size).toBeGreaterThan(1)
      expect(children.size).toBeLessThan(4)
    })
  })
})

describe('inline', () => {
  const scene = sharedScene('postgres', '-c', '3')

  test('a task that blocks the event loop is named, once', async () => {
    const { run, worker } = await scene()
    // The log is JSON here.
    const said = (task: string, { id }: JobStatus) =>
      worker.output().includes(`task \\"work.${task}\\" (job ${id}) kept the event loop busy`)

    const first = await run('blocking', 1300)
    await until(() => said('blocking', first))
    const second = await run('blocking', 1300)
    const later = await run('blockingLater', 1300)
    await until(() => said('blockingLater', later))

    expect(said('blocking', second)).toBe(false)
  })

  test('a handler that never settles and hears no signal ends at its hard limit, and the worker lives', async () => {
    const { run } = await scene()

    const status = await run('deaf')

    expect(status).toMatchObject({ state: 'failed', error: { name: 'TimeLimitError', code: 'TIME_LIMIT' } })
    expect(status.error?.message).toContain('hard time limit of 400 ms')
    expect(await run('here')).toMatchObject({ state: 'succeeded' })
  })

  test('a handler that blocks the event loop past its hard limit ends its worker, within seconds', async () => {
    const { start, worker, effects } = await scene()

    const job = await start('blockedForever')
    const startedAt = performance.now()

    expect(await worker.ended).toBe('SIGKILL')
    expect(performance.now() - startedAt).toBeLessThan(4000)
    expect(worker.output()).toContain(`job ${job.id} has blocked the event loop past its time limit`)
    expect(effects.of(job.id)).toEqual(['start 1'])
  })
})

test('a task in the file that opens the app fails with the way out, and opens no second app', async () => {
  const { database } = await freshServers('postgres')

  const { stdout } = await run(process.execPath, ['--import', 'tsx', `${app}/one-file.ts`], {
    env: { ...process.env, CELERIAC_DATABASE_URL: database, NODE_ENV: 'development' },
  })

  const { state, error } = JSON.parse(stdout) as JobStatus
  expect({ state, name: error?.name }).toEqual({ state: 'failed', name: 'DiscoveryError' })
  expect(error?.message).toContain('one-file.ts → celeriac()')
  expect(error?.message).toContain('Move what they need from it into a file of its own')
})
