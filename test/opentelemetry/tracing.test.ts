import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node'
import express from 'express'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { type Celeriac, defineTask, GiveUp, Snooze } from '../../src/index.js'
import { openTelemetry } from '../../src/opentelemetry/index.js'
import { serve } from '../http/app.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs } from '../support/lab.js'
import { until } from '../support/until.js'

const exporter = new InMemorySpanExporter()
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })

beforeAll(() => provider.register())
beforeEach(() => exporter.reset())
closeJobsAfterEach()
afterEach(() => exporter.reset())
afterAll(() => {
  trace.disable()
  context.disable()
  propagation.disable()
})

/** As it ends; the last one that ended under that name. */
function spanOf(name: string): Promise<ReadableSpan> {
  return until(() => exporter.getFinishedSpans().find((each) => each.name === name), {
    timeoutMs: 20_000,
  }) as Promise<ReadableSpan>
}

function idsOf(span: ReadableSpan) {
  const { traceId, spanId } = span.spanContext()
  return { traceId, spanId, parent: span.parentSpanContext?.spanId }
}

const child = defineTask(async () => {
  trace.getTracer('app').startSpan('query').end()
  return 1
})
const parent = defineTask(async (_: undefined, { traceparent }) => {
  await child.enqueue()
  return traceparent
})
const unlucky = defineTask({
  attempts: 2,
  backoff: { type: 'fixed', delay: '10ms' },
  run(_: undefined, { attempt }) {
    if (attempt === 1) throw new TypeError('not yet')
    throw new GiveUp('never')
  },
})
const sleepy = defineTask((_: undefined, { attempt }) => {
  if (attempt === 1) throw new Snooze('10ms', 'later')
})
const tasks = { work: { child, parent, unlucky, sleepy } }

async function open(kind: (typeof brokers)[number] = 'postgres', worker = true): Promise<Celeriac> {
  return openJobs({
    ...(await freshServers(kind)),
    tasks,
    worker: worker && { concurrency: 4 },
    tracing: openTelemetry(),
  })
}

describe.each(brokers)('on %s', (kind) => {
  test('one trace goes from the request through enqueue and run to child jobs', async () => {
    const jobs = await open(kind)
    const app = express()
    app.use(jobs)
    app.post('/parents', async (_req, res) => res.accepted(await parent.enqueue()))
    const { url, close } = await serve(app)
    onTestFinished(close)

    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const answer = await fetch(`${url}/parents`, {
      method: 'POST',
      headers: { traceparent, tracestate: 'shop=1', 'x-request-id': 'r-1' },
    })
    const { id } = (await answer.json()) as { id: string }

    const query = await spanOf('query')
    const [enqueued, ran, child, childRan] = await Promise.all(
      ['enqueue work.parent', 'run work.parent', 'enqueue work.child', 'run work.child'].map((name) =>
        spanOf(name),
      ),
    )
    expect([enqueued, ran, child, childRan, query].map((span) => span && idsOf(span))).toEqual([
      { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: expect.any(String), parent: 'b7ad6b7169203331' },
      ...[enqueued, ran, child, childRan].map((above) => ({
        traceId: '0af7651916cd43dd8448eb211c80319c',
        spanId: expect.any(String),
        parent: above?.spanContext().spanId,
      })),
    ])
    expect(enqueued?.kind).toBe(SpanKind.PRODUCER)
    expect(enqueued?.attributes).toEqual({
      'messaging.system': 'celeriac',
      'messaging.operation.name': 'enqueue',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'default',
      'messaging.message.id': id,
      'messaging.message.conversation_id': 'r-1',
      'celeriac.task': 'work.parent',
    })
    expect(ran?.kind).toBe(SpanKind.CONSUMER)
    expect(ran?.attributes).toEqual({
      'messaging.system': 'celeriac',
      'messaging.operation.name': 'run',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'default',
      'messaging.client.id': expect.any(String),
      'messaging.message.id': id,
      'messaging.message.conversation_id': 'r-1',
      'celeriac.task': 'work.parent',
      'celeriac.attempt': 1,
      'celeriac.max_attempts': 1,
      'celeriac.pool': 'inline',
      'celeriac.state': 'succeeded',
    })
    expect(ran?.links.map((link) => link.context.spanId)).toEqual([enqueued?.spanContext().spanId])
    expect(ran?.spanContext().traceState?.serialize()).toBe('shop=1')
    expect(childRan?.attributes['celeriac.parent_id']).toBe(id)
    // The handler hands on the span of its attempt.
    const { traceId, spanId } = ran?.spanContext() ?? {}
    expect(await jobs.job(id).result({ timeout: '20s' })).toBe(`00-${traceId}-${spanId}-01`)
  })
})

describe('the span of an enqueue', () => {
  test('is a child of the span that is active', async () => {
    const jobs = await open('postgres', false)

    await trace.getTracer('app').startActiveSpan('page', async (page) => {
      await jobs.enqueue(child)
      page.end()
    })

    const [enqueued, page] = [await spanOf('enqueue work.child'), await spanOf('page')]
    expect(idsOf(enqueued).parent).toBe(page.spanContext().spanId)
  })

  test('is one for enqueueMany, and the parent of all that run', async () => {
    const jobs = await open()

    const handles = await jobs.enqueueMany(child, [undefined, undefined, undefined])
    await Promise.all(handles.map((handle) => handle.result({ timeout: '20s' })))

    const runs = await until(() => {
      const found = exporter.getFinishedSpans().filter(({ name }) => name === 'run work.child')
      return found.length === 3 && found
    })
    const enqueued = exporter.getFinishedSpans().filter(({ name }) => name === 'enqueue work.child')
    expect(enqueued.map(({ attributes }) => attributes['messaging.batch.message_count'])).toEqual([3])
    expect(new Set((runs as ReadableSpan[]).map((span) => idsOf(span).parent))).toEqual(
      new Set([enqueued[0]?.spanContext().spanId]),
    )
  })

  test('tells that a job was there already, and what was thrown', async () => {
    const jobs = await open('postgres', false)

    await jobs.enqueue(child, undefined, { idempotencyKey: 'k' })
    await jobs.enqueue(child, undefined, { idempotencyKey: 'k' })
    await expect(jobs.enqueue(child, undefined, { delay: -1 })).rejects.toThrow('"delay"')

    const [first, second, third] = exporter.getFinishedSpans()
    expect([first, second].map((span) => span?.attributes['celeriac.job.created'])).toEqual([
      undefined,
      false,
    ])
    expect(third?.status).toMatchObject({ code: SpanStatusCode.ERROR })
    expect(third?.attributes['error.type']).toBe('EnqueueOptionError')
  })
})

describe('the span of an attempt', () => {
  test('is a further one of the same trace for each retry, with its error', async () => {
    const jobs = await open()

    const job = await jobs.enqueue(unlucky)
    await job.result({ timeout: '20s' }).catch(() => {})

    const runs = await until(() => {
      const found = exporter.getFinishedSpans().filter(({ name }) => name === 'run work.unlucky')
      return found.length === 2 && found
    })
    const enqueued = await spanOf('enqueue work.unlucky')
    expect((runs as ReadableSpan[]).map(told)).toEqual([
      ['retrying', 'TypeError', SpanStatusCode.ERROR, 'not yet', 1],
      ['failed', 'GiveUp', SpanStatusCode.ERROR, 'never', 2],
    ])
    for (const run of runs as ReadableSpan[]) {
      expect(idsOf(run).parent).toBe(enqueued.spanContext().spanId)
      expect(run.events.map(({ name }) => name)).toEqual(['exception'])
    }
  })

  test('is no error where the task asked to run later', async () => {
    const jobs = await open()

    await (await jobs.enqueue(sleepy)).result({ timeout: '20s' })

    expect(told(await spanOf('run work.sleepy')).slice(0, 3)).toEqual([
      'snoozed',
      undefined,
      SpanStatusCode.UNSET,
    ])
  })

  function told({ attributes, status }: ReadableSpan) {
    return [
      attributes['celeriac.state'],
      attributes['error.type'],
      status.code,
      status.message,
      attributes['celeriac.attempt'],
    ]
  }
})

test('without an SDK, a job keeps the trace of its request, and nothing is made', async () => {
  trace.disable()
  onTestFinished(() => void trace.setGlobalTracerProvider(provider))
  const jobs = await open()
  const app = express()
  app.use(jobs)
  app.post('/parents', async (_req, res) => res.accepted(await parent.enqueue()))
  const { url, close } = await serve(app)
  onTestFinished(close)

  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const answer = await fetch(`${url}/parents`, { method: 'POST', headers: { traceparent } })
  const { id } = (await answer.json()) as { id: string }

  expect(await jobs.job(id).result({ timeout: '20s' })).toBe(traceparent)
  expect(exporter.getFinishedSpans()).toEqual([])
})

test('what is no tracing is refused', async () => {
  await expect(openJobs({ tracing: {} as never })).rejects.toThrow(/"tracing" must be what openTelemetry\(\)/)
})
