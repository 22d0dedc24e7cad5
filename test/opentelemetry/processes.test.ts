import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { celeriac } from '../../src/index.js'
import { type BrokerKind, brokers, freshServers, ready } from '../support/lab.js'
import { until } from '../support/until.js'
import { newEffects, startWorkerProcess } from '../support/worker-process.js'

// A worker, and each of its threads and processes, loads TypeScript and the SDK.
vi.setConfig({ testTimeout: 120_000 })

const app = fileURLToPath(new URL('../fixtures/traces', import.meta.url))

const traceId = '0af7651916cd43dd8448eb211c80319c'
const traceparent = `00-${traceId}-b7ad6b7169203331-01`

interface Span {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parent: string | null
  readonly where: number | 'thread'
}

/** A web process that makes no spans of its own, and a worker that does. */
async function openScene(kind: BrokerKind) {
  const servers = await freshServers(kind)
  const jobs = celeriac({
    ...servers,
    modules: 'modules/*',
    root: app,
    logger: 'silent',
    // The web process hands on what it was given.
    tracing: {
      enqueue: (_told, _inherited, write) =>
        write({ trace: { traceparent, tracestate: null }, wrote: () => {} }),
      attempt: () => ({ trace: undefined, run: (work) => work(), end: () => {} }),
      inside: (_trace, work) => work(),
    },
  })
  onTestFinished(() => jobs.close())
  await ready(jobs)
  const { file } = newEffects()
  const worker = await startWorkerProcess({ ...servers, app, effects: file, args: ['-c', '4'] })
  const spans = () =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Span)
  const span = (name: string) =>
    until(() => spans().find((each) => each.name === name), { timeoutMs: 60_000 }) as Promise<Span>
  return { jobs, worker, spans, span }
}

describe.each(brokers)('over a worker process, on %s', (kind) => {
  test.each(['inline', 'thread', 'processed'])('a trace goes through a task that runs %s', async (task) => {
    const { jobs, worker, span } = await openScene(kind)

    const job = await jobs.enqueue(`work.${task}`)
    const seen = await job.result({ timeout: '60s' })

    const ran = await span(`run work.${task}`)
    const [look, enqueued, leaf] = [
      await span('look'),
      await span('enqueue work.leaf'),
      await span('run work.leaf'),
    ]
    // By the row, to the attempt, which is the worker's, whatever runs the handler.
    expect(ran).toMatchObject({ traceId, parent: 'b7ad6b7169203331', where: worker.pid })
    expect(seen).toBe(`00-${traceId}-${ran.spanId}-01`)
    // What the handler does is in its span, wherever that is.
    expect(look).toMatchObject({ traceId, parent: ran.spanId })
    expect(look.where === worker.pid).toBe(task === 'inline')
    // Of a pool, the worker enqueues.
    const above = task === 'inline' ? look : ran
    expect(enqueued).toMatchObject({ traceId, parent: above.spanId, where: worker.pid })
    expect(leaf).toMatchObject({ traceId, parent: enqueued.spanId })
  })

  test('a retry is a further span of the same trace', async () => {
    const { jobs, spans } = await openScene(kind)

    const job = await jobs.enqueue('work.flaky')
    expect(await job.result({ timeout: '60s' })).toBe(2)

    const runs = await until(() => {
      const found = spans().filter(({ name }) => name === 'run work.flaky')
      return found.length === 2 && found
    })
    expect(runs).toMatchObject([
      { traceId, parent: 'b7ad6b7169203331', attributes: { 'celeriac.state': 'retrying' } },
      { traceId, parent: 'b7ad6b7169203331', attributes: { 'celeriac.state': 'succeeded' } },
    ])
  })
})
