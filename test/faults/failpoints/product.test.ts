import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { brokers, freshServers, type Servers } from '../../support/lab.js'
import { until } from '../../support/until.js'
import { type Armed, type Failpoints, listFailpoints, prepareFailpoints, readPassed } from './failpoints.js'
import { type Ended, newFolder, run } from './sample.js'

const root = fileURLToPath(new URL('../../..', import.meta.url))

const config = `import { defineConfig } from 'celeriac'
export default defineConfig({ modules: 'modules/*', lease: '2s', heartbeat: '400ms' })`

const tasks = `import { defineTask } from 'celeriac'
export const add = defineTask(async ({ a, b }) => a + b)`

const enqueue = `import { celeriac } from 'celeriac'
import config from './celeriac.config.js'
import { add } from './modules/sums/tasks.js'
const jobs = celeriac({ ...config, logger: 'silent' })
const { id } = await add.enqueue({ a: 1, b: 2 })
console.log(id)
await jobs.close()`

/** A copy of the built package, so that a build meanwhile is no matter, and an app that uses it. */
function newApp(): { readonly folder: string; readonly failpoints: Failpoints } {
  const folder = newFolder()
  for (const part of ['package.json', 'dist', 'prisma'])
    cpSync(join(root, part), join(folder, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  mkdirSync(join(folder, 'modules/sums'), { recursive: true })
  writeFileSync(join(folder, 'celeriac.config.js'), config)
  writeFileSync(join(folder, 'modules/sums/tasks.js'), tasks)
  writeFileSync(join(folder, 'enqueue.js'), enqueue)
  return {
    folder,
    failpoints: prepareFailpoints({ dist: join(folder, 'dist'), folder: join(folder, 'changed') }),
  }
}

function environment(servers: Servers) {
  const { database, broker = database } = servers
  return { NODE_ENV: 'development', CELERIAC_DATABASE_URL: database, CELERIAC_BROKER_URL: broker }
}

interface Job {
  readonly id: string
  readonly state: string
  readonly attempt: number
  readonly result: string | null
}

async function jobsIn({ database }: Servers): Promise<Job[]> {
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  try {
    const { rows } = await client.query<Job>(
      'SELECT id, state::text, attempt, result FROM celeriac.job ORDER BY id',
    )
    return rows
  } finally {
    await client.end()
  }
}

interface How {
  readonly armed?: readonly Armed[]
  readonly record?: string
}

function startWorker(app: ReturnType<typeof newApp>, servers: Servers, how: How): ChildProcess {
  const { nodeArgs, env } = app.failpoints.start(how)
  const words = [join(app.folder, 'dist/cli/main.js'), 'worker', '-A', app.folder, '-c', '2']
  const child = spawn(process.execPath, [...nodeArgs, ...words], {
    env: { PATH: process.env.PATH, ...environment(servers), ...env },
    stdio: 'ignore',
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** The exit code, or the signal. */
function endOf(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)))
}

async function enqueueOne(app: ReturnType<typeof newApp>, servers: Servers, how: How = {}): Promise<Ended> {
  const { nodeArgs, env } = app.failpoints.start(how)
  return run(join(app.folder, 'enqueue.js'), { nodeArgs, env: { ...environment(servers), ...env } })
}

function theEndOf(count: number, servers: Servers): Promise<Job[] | false> {
  return until(
    async () => {
      const jobs = await jobsIn(servers)
      return jobs.length === count && jobs.every(({ state }) => state === 'succeeded') && jobs
    },
    { timeoutMs: 60_000, everyMs: 100 },
  )
}

test('the built package has failpoints in every part that moves jobs', () => {
  const files = new Set(listFailpoints().map(({ name }) => name.split(':')[0]))

  expect(new Set([...files].map((file) => file?.split('/')[0]))).toEqual(
    new Set(['app', 'backend', 'broker', 'enqueue', 'maintain', 'store', 'worker']),
  )
})

describe.each(brokers)('on %s', (kind) => {
  test('an app with failpoints, none of them armed, works, and tells what it passed', async () => {
    const [app, servers] = [newApp(), await freshServers(kind)]
    const record = join(app.folder, 'record')

    const { output, how, errors } = await enqueueOne(app, servers, { record })
    expect({ how, errors }).toEqual({ how: 0, errors: '' })
    const worker = startWorker(app, servers, { record })
    const ended = await theEndOf(1, servers)

    expect(ended).toMatchObject([{ id: output[0], attempt: 1, result: '3' }])
    worker.kill('SIGTERM')
    expect(await endOf(worker)).toBe(0)
    const passed = readPassed(record).map(({ point, when }) => `${when} ${point.replace(/:.*/, '')}`)
    for (const file of ['enqueue/enqueue', 'worker/intake', 'worker/runner', 'store/batch'])
      expect(passed).toEqual(expect.arrayContaining([`before ${file}`, `after ${file}`]))
  }, 120_000)

  // Before its claim is another matter: the broker frees that delivery only after its lock of a minute.
  test.each([
    ['after', 'worker/intake:claim#'],
    ['before', 'worker/runner:settle#'],
  ] as const)(
    'a worker that is killed %s %s leaves its job to another',
    async (when, name) => {
      const [app, servers] = [newApp(), await freshServers(kind)]
      const point = app.failpoints.list.find((each) => each.name.startsWith(name))?.name ?? name
      await enqueueOne(app, servers)

      const killed = startWorker(app, servers, { armed: [{ point, when }] })
      expect(await endOf(killed)).toBe('SIGKILL')
      expect(await jobsIn(servers)).toMatchObject([{ state: 'running', attempt: 1, result: null }])
      startWorker(app, servers, {})

      expect(await theEndOf(1, servers)).toMatchObject([{ attempt: 2, result: '3' }])
    },
    120_000,
  )

  test('a caller that is killed after its row is written leaves a job that runs', async () => {
    const [app, servers] = [newApp(), await freshServers(kind)]
    const record = join(app.folder, 'record')
    await enqueueOne(app, servers, { record })
    // The last await of `enqueue` is that of the insert.
    const insert = readPassed(record)
      .filter(({ point, when }) => point.startsWith('enqueue/enqueue:enqueue#') && when === 'after')
      .at(-1)

    const { how, output } = await enqueueOne(app, servers, {
      armed: [{ point: insert?.point ?? '', when: 'after' }],
    })
    expect({ how, output }).toEqual({ how: 'SIGKILL', output: [] })
    startWorker(app, servers, {})

    expect(await theEndOf(2, servers)).toHaveLength(2)
  }, 120_000)
})
