import { describe, expect, onTestFinished, test } from 'vitest'
import { addSpread, noSpread, quantileOf, type Spread, spreadBoundsMs } from '../../src/job/move.js'
import { type ClusterReading, toClusterLines } from '../../src/telemetry/metrics/cluster.js'
import { createClusterMetrics } from '../../src/telemetry/metrics/exposition.js'
import { clusterFamilies } from '../../src/telemetry/metrics/family.js'
import { shownBoundsMs } from '../../src/telemetry/metrics/lines.js'
import { createProcessMetrics } from '../../src/telemetry/metrics/process.js'
import { openMetricsPort } from '../../src/telemetry/metrics-port.js'
import { samplesOf, sumOf } from '../support/metrics.js'

const nothing: ClusterReading['sights'] = {
  oldest: [],
  dispatchLagMs: 0,
  workers: [],
  lostWorkers: 0,
  repairs: [],
}
const move = { task: 't', queue: 'q', how: '', jobs: 1, took: noSpread, total: noSpread } as const

/** So many durations below each of these bounds, from the first on. */
function spread(ms: number, ...counts: number[]): Spread {
  const all = spreadBoundsMs.map((_, at) => counts[at] ?? 0).concat(0)
  return { ms, counts: all, leastMs: 0, mostMs: Number.MAX_SAFE_INTEGER }
}

describe('metrics of the installation', () => {
  test('are there before anything has happened', async () => {
    const { contentType, body } = await createClusterMetrics(async () => ({ moves: [], sights: nothing }))()

    expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
    for (const name of Object.keys(clusterFamilies)) expect(body).toContain(`# TYPE ${name} `)
    expect(sumOf(samplesOf(body), 'celeriac_workers')).toBe(0)
  })

  test('show a histogram by bounds that each contain the ones below', () => {
    const took = spread(5, 1, 2, 0, 3)
    const lines = toClusterLines({
      moves: [{ ...move, was: 'queued', is: 'running', took }],
      sights: nothing,
    })
    const samples = samplesOf(lines.celeriac_job_wait_seconds.join('\n'))

    expect(samples.slice(0, 3).map(({ labels, value }) => [labels.le, value])).toEqual([
      ['0.005', 3],
      ['0.02', 6],
      ['0.1', 6],
    ])
    expect(sumOf(samples, 'celeriac_job_wait_seconds_count')).toBe(6)
    expect(sumOf(samples, 'celeriac_job_wait_seconds_sum')).toBe(0.005)
  })

  test('have bounds that the store keeps', () => {
    expect(shownBoundsMs.filter((ms) => !spreadBoundsMs.includes(ms))).toEqual([])
  })

  test('carry any name', () => {
    const task = 'say "hi" \\ to\nall'
    const lines = toClusterLines({ moves: [{ ...move, task, was: '', is: 'queued' }], sights: nothing })

    expect(lines.celeriac_jobs_enqueued_total).toEqual([
      'celeriac_jobs_enqueued_total{task="say \\"hi\\" \\\\ to\\nall",queue="q"} 1',
    ])
  })

  test('add up workers of one name, of which the slowest loop counts, and do not mind a report that is no JSON', () => {
    const worker = { name: 'w', queues: ['q'], concurrency: 2, missed: 0 }
    const said = (loopDelayMs: number) =>
      JSON.stringify({ concurrency: 4, running: 3, loopDelayMs, memory: { rss: 10 } })
    const workers = [
      { ...worker, report: said(20) },
      { ...worker, report: said(500) },
      { ...worker, report: '{' },
      { ...worker, name: 'silent', missed: 2, report: '{}' },
    ]
    const lines = toClusterLines({ moves: [], sights: { ...nothing, workers, lostWorkers: 1 } })

    expect(lines.celeriac_workers).toEqual([
      'celeriac_workers{state="up"} 3',
      'celeriac_workers{state="silent"} 1',
      'celeriac_workers{state="lost"} 1',
    ])
    expect(lines.celeriac_worker_slots).toEqual([
      'celeriac_worker_slots{worker="w"} 10',
      'celeriac_worker_slots{worker="silent"} 2',
    ])
    expect(lines.celeriac_worker_loop_delay_seconds).toEqual([
      'celeriac_worker_loop_delay_seconds{worker="w"} 0.5',
    ])
    expect(lines.celeriac_queue_workers).toEqual(['celeriac_queue_workers{queue="q"} 3'])
  })

  test('are read once for all who ask at the same time', async () => {
    let reads = 0
    const metrics = createClusterMetrics(async () => {
      reads += 1
      return { moves: [], sights: nothing }
    })
    await Promise.all([metrics(), metrics(), metrics()])
    await metrics()

    expect(reads).toBe(2)
  })
})

test('a quantile lies between the bounds of its durations', () => {
  expect(quantileOf(noSpread, 0.5)).toBeUndefined()
  expect(quantileOf(spread(1, 0, 0, 10), 0.5)).toBe(3.5)
  expect(quantileOf(spread(1, 90, 0, 10), 0.95)).toBe(3.5)
})

test('a quantile is exact where all durations are alike, and never beyond those that were measured', () => {
  const alike = { ms: 799_000 * 40, counts: bucketOf(799_000, 40), leastMs: 799_000, mostMs: 799_000 }
  const few = { ms: 1000, counts: bucketOf(500, 1), leastMs: 499, mostMs: 501 }
  const all = addSpread(alike, few)

  expect([0.5, 0.95, 0.99].map((part) => quantileOf(alike, part))).toEqual([799_000, 799_000, 799_000])
  expect(quantileOf(all, 0.99)).toBeLessThanOrEqual(799_000)
  expect(quantileOf(all, 0.001)).toBeGreaterThanOrEqual(499)
})

test('a quantile beyond all bounds is told, too', () => {
  const days = 3 * 86_400_000
  expect(quantileOf({ ms: days, counts: bucketOf(days, 1), leastMs: days, mostMs: days }, 0.5)).toBe(days)
})

test('bounds are near each other: a quantile is wrong by two and a half times at most', () => {
  const ratios = spreadBoundsMs.slice(1).map((bound, at) => bound / (spreadBoundsMs[at] ?? 1))
  expect(Math.max(...ratios)).toBe(2.5)
})

/** So many durations, all of them so long. */
function bucketOf(ms: number, count: number): number[] {
  const at = spreadBoundsMs.findIndex((bound) => ms < bound)
  return spreadBoundsMs
    .concat(Number.POSITIVE_INFINITY)
    .map((_, place) => (place === (at === -1 ? spreadBoundsMs.length : at) ? count : 0))
}

describe('the port', () => {
  const reading = { slots: 4, running: 2, reserved: 1, unsettled: 0, children: 0, outcomes: { succeeded: 7 } }

  async function open(ofCluster = async () => ({ contentType: 'text/plain', body: 'all 1\n' })) {
    const warnings: string[] = []
    const port = await openMetricsPort({
      ...{ port: 0, host: '127.0.0.1', ofCluster, ofProcess: createProcessMetrics(() => reading) },
      log: { warn: (message) => void warnings.push(message) },
    })
    onTestFinished(() => port.close())
    const ask = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port.port}${path}`, init)
    return { port, ask, warnings }
  }

  test('answers for the process, with what Node measures, and for the installation', async () => {
    const { ask } = await open()
    const samples = samplesOf(await (await ask('/metrics')).text())

    expect(sumOf(samples, 'celeriac_process_slots')).toBe(4)
    expect(sumOf(samples, 'celeriac_process_attempts_total', { outcome: 'succeeded' })).toBe(7)
    expect(sumOf(samples, 'process_resident_memory_bytes')).toBeGreaterThan(1e6)
    expect(samples.some(({ name }) => name === 'nodejs_eventloop_lag_p99_seconds')).toBe(true)
    expect(await (await ask('/metrics/cluster')).text()).toBe('all 1\n')
  })

  test('refuses other addresses and methods, and says so', async () => {
    const { ask } = await open()

    expect((await ask('/')).status).toBe(404)
    expect((await ask('/metrics', { method: 'POST' })).status).toBe(405)
  })

  test('answers 503 while the store is away, without its address', async () => {
    const { ask, warnings } = await open(() => Promise.reject(new Error('no route to db.internal')))
    const response = await ask('/metrics/cluster')

    expect(response.status).toBe(503)
    expect(await response.text()).not.toContain('db.internal')
    expect(warnings.join()).toContain('db.internal')
  })

  test('that is taken is named', async () => {
    const { port } = await open()
    const again = openMetricsPort({
      ...{ port: port.port, host: '127.0.0.1', log: { warn() {} } },
      ofProcess: createProcessMetrics(() => undefined),
      ofCluster: async () => ({ contentType: '', body: '' }),
    })

    await expect(again).rejects.toThrow(
      `Port ${port.port} of "worker.metricsPort" (--metrics-port) cannot be opened: another process has it. Give another one.`,
    )
  })
})
