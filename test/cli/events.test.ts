import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { ClusterEvent } from '../../src/control/sightings.js'
import { rowsOf } from '../enqueue/rows.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs, type Servers } from '../support/lab.js'
import { startPostgres } from '../support/servers.js'
import { until } from '../support/until.js'
import { startWorkerProcess } from '../support/worker-process.js'
import { commandLine, root } from './command-line.js'

closeJobsAfterEach()
vi.setConfig({ testTimeout: 600_000 })

const app = 'test/fixtures/desk'
const ends = ['job.succeeded', 'job.failed', 'job.cancelled', 'job.expired']
const patient = { timeoutMs: 120_000, everyMs: 200 }

describe.each(brokers)('celeriac events, with the broker on %s', (kind) => {
  test('shows each end of 2,000 jobs exactly once, while a worker is killed and another comes', async () => {
    const servers = await freshServers(kind)
    const jobs = await openJobs({ ...servers, deadline: '60s' })
    const shown = watch(servers, ['--since', '1m'])
    const doomed = await startWorkerProcess({ ...servers, app, args: ['-n', 'doomed', '-c', '4'] })

    const ids: string[] = []
    const add = async (task: string, count: number, payload?: unknown, options = {}) => {
      const payloads = Array.from({ length: count }, () => payload)
      const added = (await jobs.enqueueMany(task, payloads, options)).map(({ id }) => id)
      ids.push(...added)
      return added
    }
    const [long = ''] = await add('work.rest', 1, 3_600_000)
    await until(async () => (await jobs.job(long).status()).state === 'running', patient)
    await add('work.nothing', 1000)
    const delayed = await add('work.nothing', 100, undefined, { delay: '1h' })
    await add('work.fail', 199, 'no paper')
    await startWorkerProcess({ ...servers, app, args: ['-n', 'stays', '-c', '4'] })
    doomed.signal('SIGKILL')
    await add('work.flaky', 200)
    for (const id of delayed) await jobs.job(id).cancel({ by: 'ada', reason: 'a mistake' })
    await add('work.nothing', 500)
    await until(() => shown.events().some(({ type }) => type === 'job.lost'), patient)
    await jobs.job(long).cancel()

    const open = `SELECT id FROM celeriac.job WHERE finished_at IS NULL LIMIT 1`
    await until(async () => (await rowsOf(servers, open)).length === 0, patient)
    await until(() => endsIn(shown.events()).length >= 2000, patient)
    // What is shown twice would be shown within two more looks.
    await new Promise((resolve) => setTimeout(resolve, 3000))

    const states = await rowsOf<{ id: string; state: string }>(servers, 'SELECT id, state FROM celeriac.job')
    const expected = states.map(({ id, state }) => `${id} job.${state}`)
    expect(ids).toHaveLength(2000)
    expect(endsIn(shown.events()).sort()).toEqual(expected.sort())
    const count = countsOf(shown.events())
    expect(count).toMatchObject({
      ...{ 'job.enqueued': 2000, 'job.succeeded': 1700, 'job.failed': 199, 'job.cancelled': 101 },
      ...{ 'worker.started': 2, 'worker.lost': 1 },
    })
    expect(count['job.retrying']).toBe(200)
    expect(count['job.started']).toBeGreaterThanOrEqual(2099)
    expect(shown.events().find(({ type }) => type === 'job.failed')).toMatchObject({
      ...{ job: { task: 'work.fail', queue: 'default' }, attempt: 1, ms: expect.any(Number) },
      error: { name: 'TypeError', message: 'no paper' },
    })
    expect(shown.events().find(({ by }) => by === 'ada')).toMatchObject({ reason: 'a mistake' })
    shown.child.kill('SIGINT')
    expect(await shown.ended).toBe(0)
  })
})

describe('celeriac events', () => {
  test('shows what happens within two seconds, and a command that is asked of workers', async () => {
    const servers = await freshServers('postgres')
    const jobs = await openJobs({ ...servers, deadline: '60s' })
    await startWorkerProcess({ ...servers, app })
    const shown = watch(servers, ['--since', '1m', '--type', 'succeeded,command.asked'])
    await jobs.control.pause('mail', { by: 'ada' })
    await until(() => shown.events().length > 0, patient)

    const job = await jobs.enqueue('work.nothing', undefined)
    await job.result()
    const endedAt = performance.now()
    await until(() => shown.events().length > 1, patient)

    // Two seconds, and what a busy machine takes.
    expect(performance.now() - endedAt).toBeLessThan(6000)
    expect(shown.events()).toMatchObject([
      { type: 'command.asked', verb: 'pause', by: 'ada', workers: 1 },
      { type: 'job.succeeded', job: { id: job.id } },
    ])
  })

  test('goes on when the store was away, and misses nothing', async () => {
    const postgres = await startPostgres()
    onTestFinished(() => postgres.stop())
    const servers = { database: postgres.url }
    const jobs = await openJobs({ ...servers, deadline: '60s' })
    await startWorkerProcess({ ...servers, app })
    const shown = watch(servers, ['--since', '1m'])
    await (await jobs.enqueue('work.nothing', undefined)).result()
    await until(() => endsIn(shown.events()).length === 1, patient)

    await postgres.kill()
    await until(() => shown.words().includes('Waiting for it.'), patient)
    await postgres.start()
    const job = await until(() => jobs.enqueue('work.nothing', undefined).catch(() => null), patient)
    await until(() => endsIn(shown.events()).length === 2, patient)

    expect(shown.words()).toContain('The store is back.')
    expect(endsIn(shown.events())).toContain(`${job?.id} job.succeeded`)
  })

  test('filters by task, queue and kind, and begins in the past', async () => {
    const servers = await freshServers('postgres')
    const celeriac = commandLine(servers, app)
    await openJobs({ ...servers, deadline: '60s' })
    await celeriac(['call', 'work.nothing', '--delay', '1h', '--queue', 'slow'])
    await celeriac(['call', 'mail.send', '--payload', '{"to":"ada"}', '--delay', '1h'])
    const events = (...args: string[]) => celeriac(['events', '--since', '1m', '--for', '3s', ...args])

    expect((await events('--task', 'mail.*')).out).toMatch(
      /^\S+ {2}job\.enqueued .* mail\.send {2}queue mail {2}due \S+\n$/,
    )
    expect((await events('--queue', 'slow', '--type', 'job.enqueued')).out).toMatch(
      /^.* work\.nothing {2}queue slow .*\n$/,
    )
    expect((await events('--type', 'failed')).out).toBe('')
    const wrong = await events('--type', 'faild')
    expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining('There is no event "faild".') })
  })
})

interface Watched {
  readonly child: ChildProcess
  events(): readonly ClusterEvent[]
  words(): string
  readonly ended: Promise<number | null>
}

function watch({ database, broker }: Servers, args: readonly string[]): Watched {
  const env = { ...process.env, NODE_ENV: 'development', CELERIAC_DATABASE_URL: database }
  const child = spawn(process.execPath, ['dist/cli/main.js', 'events', '--json', '-A', app, ...args], {
    cwd: root,
    env: { ...env, CELERIAC_BROKER_URL: broker ?? database },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const events: ClusterEvent[] = []
  let words = ''
  createInterface({ input: child.stdout }).on('line', (line) => events.push(JSON.parse(line)))
  child.stderr.on('data', (chunk) => {
    words += chunk
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { child, events: () => events, words: () => words, ended }
}

function endsIn(events: readonly ClusterEvent[]): string[] {
  return events.flatMap(({ type, job }) => (ends.includes(type) ? [`${job?.id} ${type}`] : []))
}

function countsOf(events: readonly ClusterEvent[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { type } of events) counts[type] = (counts[type] ?? 0) + 1
  return counts
}
