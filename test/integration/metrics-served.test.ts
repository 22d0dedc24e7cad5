import express from 'express'
import { describe, expect, onTestFinished, test } from 'vitest'
import { brokers, closeJobsAfterEach, freshServers, openJobs } from '../support/lab.js'
import { samplesOf, sumOf } from '../support/metrics.js'
import { freePort } from '../support/server.js'
import { until } from '../support/until.js'
import { startWorkerProcess } from '../support/worker-process.js'

closeJobsAfterEach()

describe.each(brokers)('metrics, on %s', (kind) => {
  test('are the same under the dashboard and on a worker’s port, which tells of its process as well', async () => {
    const servers = await freshServers(kind)
    const jobs = await openJobs({ ...servers, migrate: true, authorize: () => true })
    const port = await freePort()
    const args = ['-c', '3', '-n', 'ann', '--metrics-port', String(port)]
    await startWorkerProcess({ ...servers, app: 'test/fixtures/metrics', args })
    const ofWeb = await serve(jobs)
    const ask = async (url: string) => samplesOf(await (await fetch(url)).text())
    await jobs.enqueueMany('work.steady', [1, 2, 3])
    const isDone = async () =>
      sumOf(await ask(`${ofWeb}/jobs/dashboard/metrics`), 'celeriac_jobs_ended_total', {
        task: 'work.steady',
        queue: 'default',
        state: 'succeeded',
      }) === 3
    await until(isDone, { timeoutMs: 90_000, everyMs: 100 })

    const ofCluster = await ask(`http://127.0.0.1:${port}/metrics/cluster`)
    expect(sumOf(ofCluster, 'celeriac_jobs_enqueued_total', { task: 'work.steady' })).toBe(3)
    expect(sumOf(ofCluster, 'celeriac_workers', { state: 'up' })).toBe(1)
    expect(sumOf(ofCluster, 'celeriac_worker_slots', { worker: 'ann' })).toBe(3)
    const ofProcess = await ask(`http://127.0.0.1:${port}/metrics`)
    expect(sumOf(ofProcess, 'celeriac_process_slots')).toBe(3)
    expect(sumOf(ofProcess, 'process_resident_memory_bytes')).toBeGreaterThan(0)
    const tellsOfItself = async () =>
      sumOf(await ask(`${ofWeb}/jobs/dashboard/metrics`), 'celeriac_worker_memory_bytes', { worker: 'ann' }) >
      0
    await until(tellsOfItself, { timeoutMs: 90_000, everyMs: 200 })
  }, 240_000)
})

test('are closed to who may not see the dashboard', async () => {
  const jobs = await openJobs({ ...(await freshServers('postgres')), migrate: true, authorize: () => false })
  const response = await fetch(`${await serve(jobs)}/jobs/dashboard/metrics`)

  expect(response.status).toBe(403)
  expect(await response.text()).not.toContain('celeriac_')
})

test('cannot share the port of the health probes', async () => {
  const opening = openJobs({
    ...(await freshServers('postgres')),
    worker: { healthPort: 9400, metricsPort: 9400 },
  })

  await expect(opening).rejects.toThrow(
    '"worker.metricsPort" and "worker.healthPort" are both 9400. Give each a port of its own.',
  )
})

async function serve(jobs: Awaited<ReturnType<typeof openJobs>>): Promise<string> {
  const server = express().use(jobs).listen(0)
  onTestFinished(() => void server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  if (typeof address !== 'object' || !address) throw new Error('It does not listen.')
  return `http://127.0.0.1:${address.port}`
}
