import pg from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { JobHandle } from '../../src/job/job.js'
import type { Celeriac } from '../../src/plugin.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs, type Servers } from '../support/lab.js'
import { type Sample, samplesOf, sumOf } from '../support/metrics.js'
import { until } from '../support/until.js'
import { startWorkerProcess, type WorkerProcess } from '../support/worker-process.js'

closeJobsAfterEach()

const app = 'test/fixtures/metrics'
const many = {
  'work.steady': 34_000,
  'work.flaky': 5000,
  'work.broken': 3000,
  'work.patient': 2000,
  'work.brief': 3000,
} as const
const slow = 2000
const delayed = 1000

describe.each(brokers)('after 50,000 jobs on %s, with failures, cancels and a killed worker', (kind) => {
  test('the counters are what the rows say, and agree with each other', async () => {
    const servers = await freshServers(kind)
    const jobs = await openJobs({ ...servers, migrate: true, deadline: '60s' })
    const doomed = await startWorkerProcess({ ...servers, app, args: ['-c', '20'] })
    await startWorkerProcess({ ...servers, app, args: ['-c', '20'] })
    const handles = await enqueueAll(jobs)
    const rowsOf = await openClient(servers)
    const ended = async () => Number((await rowsOf(endedSql))[0]?.count)

    await until(async () => (await ended()) > 8000, { timeoutMs: 300_000, everyMs: 100 })
    await killWhileItRuns(doomed, rowsOf)
    for (const handle of handles) await handle.cancel()
    await startWorkerProcess({ ...servers, app, args: ['-c', '20'] })
    await until(async () => (await rowsOf(openSql)).length === 0, { timeoutMs: 600_000, everyMs: 200 })

    const samples = samplesOf(await jobs.metrics())
    const rows = await rowsOf(rowsSql)
    const attempts = await rowsOf(attemptsSql)
    expect(endedOf(samples, true)).toEqual(rows.map(({ task, state, count }) => `${task} ${state} ${count}`))
    expect(stored(samples)).toEqual(await rowsOf(storedSql))
    expect(pastAttempts(samples)).toEqual(attempts.map(({ outcome, count }) => `${outcome} ${count}`))
    expect(sumOf(samples, 'celeriac_attempts_ended_total', { outcome: 'lost' })).toBeGreaterThan(0)
    expectAgreement(samples)
    const [{ starts } = {}] = await rowsOf('SELECT sum(attempt)::int AS starts FROM celeriac.job')
    const unstarted = sumOf(samples, 'celeriac_attempts_ended_total', { outcome: 'unstarted' })
    const dropped = sumOf(samples, 'celeriac_attempts_started_total', { task: 'work.brief' })
    const unstartedBrief = sumOf(samples, 'celeriac_attempts_ended_total', {
      task: 'work.brief',
      outcome: 'unstarted',
    })
    expect(sumOf(samples, 'celeriac_attempts_started_total') - dropped).toBe(
      Number(starts) + unstarted - unstartedBrief,
    )
  }, 900_000)
})

/** It stands still while it is looked at. */
async function killWhileItRuns(
  worker: WorkerProcess,
  rowsOf: (text: string) => Promise<unknown[]>,
): Promise<void> {
  await until(
    async () => {
      worker.signal('SIGSTOP')
      const runs = await rowsOf(
        `SELECT 1 FROM celeriac.job j JOIN celeriac.worker w ON w.id = j.worker_id
         WHERE w.pid = ${worker.pid} AND j.state = 'running' AND j.started_at < now() - interval '10 milliseconds'`,
      )
      worker.signal(runs.length > 0 ? 'SIGKILL' : 'SIGCONT')
      return runs.length > 0
    },
    { timeoutMs: 60_000, everyMs: 50 },
  )
}

/** Whatever happened, these hold when nothing is open. */
function expectAgreement(samples: readonly Sample[]): void {
  const sum = (name: string, labels = {}) => sumOf(samples, name, labels)
  const enqueued = Object.values(many).reduce((all, count) => all + count, slow + delayed)
  expect(sum('celeriac_jobs_enqueued_total')).toBe(enqueued)
  expect(sum('celeriac_jobs_ended_total')).toBe(enqueued)
  expect(sum('celeriac_jobs_ended_total', { task: 'work.brief', state: 'succeeded' })).toBe(
    many['work.brief'],
  )
  expect(sum('celeriac_attempts_ended_total')).toBe(sum('celeriac_attempts_started_total'))
  expect(sum('celeriac_job_wait_seconds_count')).toBe(sum('celeriac_attempts_started_total'))
  const ran = ['succeeded', 'failed', 'cancelled', 'retried', 'snoozed'].reduce(
    (all, outcome) => all + sum('celeriac_attempts_ended_total', { outcome }),
    0,
  )
  expect(sum('celeriac_attempt_run_seconds_count')).toBe(ran)
  expect(sum('celeriac_job_total_seconds_count')).toBe(
    sum('celeriac_jobs_ended_total', { state: 'succeeded' }) +
      sum('celeriac_jobs_ended_total', { state: 'failed' }),
  )
  for (const state of ['scheduled', 'queued', 'running', 'retrying'])
    expect(sum('celeriac_jobs', { state })).toBe(0)
  for (const name of [
    'celeriac_job_wait_seconds',
    'celeriac_attempt_run_seconds',
    'celeriac_job_total_seconds',
  ])
    expect(sum(`${name}_bucket`, { le: '+Inf' })).toBe(sum(`${name}_count`))
}

/** Those that are to be cancelled, some before they start and some as they run. */
async function enqueueAll(jobs: Celeriac): Promise<JobHandle[]> {
  const numbers = (count: number) => Array.from({ length: count }, (_, at) => at)
  const later = await jobs.enqueueMany('work.steady', numbers(delayed), { delay: '1h' })
  const slowly = await jobs.enqueueMany('work.slow', numbers(slow).fill(100))
  for (const [task, count] of Object.entries(many)) await jobs.enqueueMany(task, numbers(count))
  return [...later, ...slowly.slice(-500)]
}

function endedOf(samples: readonly Sample[], isKept: boolean): string[] {
  const sums = new Map<string, number>()
  for (const { name, labels, value } of samples) {
    if (name !== 'celeriac_jobs_ended_total' || (isKept && labels.task === 'work.brief')) continue
    const key = `${labels.task} ${labels.state}`
    sums.set(key, (sums.get(key) ?? 0) + value)
  }
  return [...sums].map(([key, value]) => `${key} ${value}`).sort()
}

function stored(samples: readonly Sample[]) {
  return samples
    .filter(({ name, value }) => name === 'celeriac_jobs' && value !== 0)
    .map(({ labels: { queue, state }, value }) => ({ queue, state, count: value }))
    .sort((one, other) => (`${one.queue} ${one.state}` < `${other.queue} ${other.state}` ? -1 : 1))
}

/** As the rows name them: a retried attempt is a failed one of the past. */
function pastAttempts(samples: readonly Sample[]): string[] {
  const names = { retried: 'failed', lost: 'lost', returned: 'returned', snoozed: 'snoozed' }
  return Object.entries(names)
    .map(([outcome, name]) => {
      const labels = { outcome }
      const dropped = sumOf(samples, 'celeriac_attempts_ended_total', { ...labels, task: 'work.brief' })
      return [name, sumOf(samples, 'celeriac_attempts_ended_total', labels) - dropped] as const
    })
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${name} ${count}`)
    .sort()
}

const endedSql = `SELECT count(*)::int AS count FROM celeriac.job WHERE finished_at IS NOT NULL`
const openSql = `SELECT 1 FROM celeriac.job WHERE finished_at IS NULL LIMIT 1`
const rowsSql = `SELECT task, state::text, count(*)::int AS count FROM celeriac.job GROUP BY 1, 2
  ORDER BY (task || ' ' || state::text) COLLATE "C"`
const storedSql = `SELECT queue, state::text, count(*)::int AS count FROM celeriac.job GROUP BY 1, 2
  ORDER BY (queue || ' ' || state::text) COLLATE "C"`
const attemptsSql = `SELECT a->>'outcome' AS outcome, count(*)::int AS count
  FROM celeriac.job, json_array_elements(attempts::json) AS a GROUP BY 1 ORDER BY (a->>'outcome') COLLATE "C"`

async function openClient({ database }: Servers) {
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  onTestFinished(() => client.end())
  return async (text: string) => (await client.query(text)).rows
}
