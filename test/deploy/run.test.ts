import { createServer } from 'node:net'
import { expect, test, vi } from 'vitest'
import { celeriac } from '../../src/index.js'
import { brokers, freshServers } from '../support/lab.js'
import { until } from '../support/until.js'
import { startWorkerProcess } from '../support/worker-process.js'
import { manifests } from './files.js'

vi.setConfig({ testTimeout: 180_000 })

async function freePort(): Promise<number> {
  const server = createServer().listen(0)
  await new Promise((resolve) => server.once('listening', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 0
}

test.each(brokers)(
  'the worker of the manifest runs, is ready, is scraped, and stops as it is told, on %s',
  async (kind) => {
    const servers = await freshServers(kind)
    const jobs = celeriac({ ...servers, tasks: {}, migrate: true, logger: 'silent' })
    await jobs.ready()
    await jobs.close()
    const deployment = manifests.find(
      ({ metadata, kind: what }) => what === 'Deployment' && metadata.name === 'shop-worker',
    )
    const pod = deployment?.spec.template
    const [container] = pod?.spec.containers ?? []
    const annotations = (pod?.metadata as { annotations?: Record<string, string> } | undefined)?.annotations
    const [health, metrics] = [await freePort(), await freePort()]
    const args = (container?.args ?? []).map((word) =>
      word === '9400' ? String(health) : word === '9401' ? String(metrics) : word,
    )

    const worker = await startWorkerProcess({ ...servers, app: 'test/fixtures/crew', args })
    const ask = (port: number, path = '') => fetch(`http://127.0.0.1:${port}${path}`)

    await until(async () => (await ask(health, container?.readinessProbe?.httpGet.path)).ok, {
      timeoutMs: 30_000,
    })
    expect((await ask(health, container?.livenessProbe?.httpGet.path)).status).toBe(200)
    const scraped = await ask(metrics, annotations?.['prometheus.io/path'])
    expect([scraped.status, await scraped.text()]).toEqual([200, expect.stringContaining('celeriac_')])

    worker.signal('SIGTERM')
    expect(await worker.ended).toBe(0)
  },
)
