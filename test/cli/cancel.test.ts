import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { hostname, userInfo } from 'node:os'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { Celeriac } from '../../src/plugin.js'
import { defineTask } from '../../src/task/define.js'
import { closeJobsAfterEach, openJobs } from '../support/lab.js'
import { freshDatabase } from '../support/servers.js'
import { until } from '../support/until.js'

closeJobsAfterEach()
// Each test starts processes, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const root = fileURLToPath(new URL('../..', import.meta.url))
const rest = defineTask(
  (_: undefined, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
)
let database: string
let jobs: Celeriac

beforeEach(async () => {
  database = await freshDatabase()
  jobs = await openJobs({ database, tasks: { work: { rest } }, worker: true })
})

describe('celeriac cancel', () => {
  test('cancels a job that waits, in the name of the user', async () => {
    const job = await jobs.enqueue(rest, undefined, { delay: '1h' })

    const ended = await cancel(job.id)

    expect(ended).toEqual({ code: 0, out: `${job.id} cancelled: it will never start\n`, err: '' })
    expect(await whoAndWhy(job.id)).toEqual({ by: `${userInfo().username}@${hostname()}`, reason: null })
  })

  test('asks one that runs to stop', async () => {
    const job = await jobs.enqueue(rest)
    await until(async () => (await job.status()).state === 'running')

    const ended = await cancel(job.id, '--by', 'the operator', '--reason', 'too expensive')

    expect(ended).toMatchObject({
      code: 0,
      out: `${job.id} cancelling: it runs, and has been asked to stop\n`,
    })
    await until(async () => (await job.status()).state === 'cancelled')
    expect(await whoAndWhy(job.id)).toEqual({ by: 'the operator', reason: 'too expensive' })
  })

  test('says what came of each of several, and exits by the worst', async () => {
    const one = await jobs.enqueue(rest, undefined, { delay: '1h' })
    const ended = await jobs.enqueue(rest, undefined, { delay: '1h' })
    await ended.cancel()
    const unknown = randomUUID()

    expect(await cancel(one.id, ended.id)).toMatchObject({
      code: 3,
      out: `${one.id} cancelled: it will never start\n${ended.id} finished: it had ended before\n`,
    })
    expect(await cancel(ended.id, unknown, 'today')).toMatchObject({
      code: 4,
      out: `${ended.id} finished: it had ended before\n${unknown} unknown: there is no such job\ntoday unknown: there is no such job\n`,
    })
  })

  test('needs neither the broker nor the tasks', async () => {
    const job = await jobs.enqueue(rest, undefined, { delay: '1h' })

    const ended = await run(['cancel', job.id], { CELERIAC_BROKER_URL: 'redis://127.0.0.1:1' })

    expect(ended).toMatchObject({ code: 0, err: '' })
  })

  test('exits with 1 when the store is away, and says so', async () => {
    const ended = await run(['cancel', randomUUID()], {
      CELERIAC_DATABASE_URL: 'postgres://127.0.0.1:1/none',
    })

    expect(ended.code).toBe(1)
    expect(ended.err).toMatch(/^celeriac: .*127\.0\.0\.1:1/)
  })

  test('without an id says how it is used', async () => {
    const ended = await run(['cancel'])

    expect(ended.code).toBe(2)
    expect(ended.err).toContain("missing required argument 'id'")
  })
})

const cancel = (...args: string[]) => run(['cancel', ...args])

function run(
  args: readonly string[],
  variables: Record<string, string> = {},
): Promise<{ code: number; out: string; err: string }> {
  const env = { ...process.env, NODE_ENV: 'development', CELERIAC_DATABASE_URL: database, ...variables }
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ['dist/cli/main.js', ...args],
      { cwd: root, env, timeout: 30_000 },
      (_error, out, err) => resolve({ code: child.exitCode ?? -1, out, err }),
    )
  })
}

async function whoAndWhy(id: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  const { rows } = await client.query(
    'SELECT cancelled_by AS by, cancel_reason AS reason FROM celeriac.job WHERE id = $1',
    [id],
  )
  await client.end()
  return rows[0]
}
