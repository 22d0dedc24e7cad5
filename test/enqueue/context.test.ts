import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Request } from 'express'
import { describe, expect, test } from 'vitest'
import { currentJob, currentRequest, readOrigin, readOwner, runInRequest } from '../../src/enqueue/context.js'
import { defineTask, type TaskContext } from '../../src/task/define.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs } from '../support/lab.js'

function request(headers: Record<string, string | string[]> = {}, id?: unknown): Request {
  const message = Object.assign(new IncomingMessage(new Socket()), { headers })
  return Object.assign(message, id === undefined ? {} : { id }) as unknown as Request
}

describe('the current request', () => {
  test('is known in all that its handler starts, and nowhere else', async () => {
    const [ann, bob] = [request(), request()]
    const seen = (req: Request) =>
      runInRequest(req, async () => {
        await new Promise(setImmediate)
        return currentRequest()
      })

    expect(await Promise.all([seen(ann), seen(bob)])).toEqual([ann, bob])
    expect(currentRequest()).toBeUndefined()
  })
})

describe('the owner', () => {
  test('is asked for at the moment of the enqueue', async () => {
    expect(
      await readOwner(async (req) => req.headers['x-user'] as string, request({ 'x-user': 'ann' })),
    ).toBe('ann')
  })

  test.each([undefined, null, '', 7, {}, ['ann'], true])('%j is nobody', async (owner) => {
    expect(await readOwner(() => owner as string, request())).toBeNull()
  })
})

describe('the origin', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

  test('is the id and the trace of the request', () => {
    expect(readOrigin(request({ 'x-request-id': 'r-1', traceparent }))).toEqual({
      requestId: 'r-1',
      traceparent,
      context: null,
      parentId: null,
    })
  })

  test("an id that the app's logger set goes before the header", () => {
    expect(readOrigin(request({ 'x-request-id': 'header' }, 'own')).requestId).toBe('own')
    expect(readOrigin(request({}, 7)).requestId).toBe('7')
  })

  test.each([
    ['a line break', 'a\r\nforged: line'],
    ['an escape', '\u001b[2J'],
    ['a line separator', 'a\u2028b'],
    ['nothing', ''],
    ['too much', 'x'.repeat(201)],
  ])('an id of %s is left out', (_what, id) => {
    expect(readOrigin(request({ 'x-request-id': id })).requestId).toBeNull()
    expect(readOrigin(request({}, id)).requestId).toBeNull()
  })

  test.each([
    '',
    'x',
    `${traceparent}\n`,
    traceparent.replace('00-', 'ff-'),
    traceparent.toUpperCase(),
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `${traceparent}-${'x'.repeat(50_000)}`,
  ])('a traceparent that is none is left out', (header) => {
    expect(readOrigin(request({ traceparent: header })).traceparent).toBeNull()
  })
})

describe('the context of a request', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const contextOf = (headers: Record<string, string>, rules?: Parameters<typeof readOrigin>[1]) => {
    const { context } = readOrigin(request(headers), rules)
    return context === null ? null : (JSON.parse(context) as unknown)
  }

  test.each([
    ['de-ch', 'de-CH'],
    ['de-CH,de;q=0.9,en;q=0.8', 'de-CH'],
    ['  fr ; q=0.5 , en', 'fr'],
    ['*, en-GB', 'en-GB'],
    ['e, <script>, zh-hant-tw', 'zh-Hant-TW'],
  ])('Accept-Language %j gives %s', (header, locale) => {
    expect(contextOf({ 'accept-language': header })).toEqual({ locale })
  })

  test.each(['', '*', ',;', 'x'.repeat(5000), '\u0000', 'toolongatag'])('%j gives none', (header) => {
    expect(contextOf({ 'accept-language': header })).toBeNull()
  })

  test('what the app says of the locale goes before the header', () => {
    const headers = { 'accept-language': 'en' }

    expect(contextOf(headers, { localeOf: () => 'it', valuesOf: undefined })).toEqual({ locale: 'it' })
    expect(contextOf(headers, { localeOf: () => undefined, valuesOf: undefined })).toBeNull()
    expect(contextOf(headers, { localeOf: () => 'no tag', valuesOf: undefined })).toBeNull()
  })

  test('tracestate goes with a traceparent, and not without', () => {
    expect(contextOf({ traceparent, tracestate: 'vendor=1' })).toEqual({ tracestate: 'vendor=1' })
    expect(contextOf({ tracestate: 'vendor=1' })).toBeNull()
    expect(contextOf({ traceparent, tracestate: 'a\nb' })).toBeNull()
  })

  test('values of the app are kept as JSON has them', () => {
    const valuesOf = () => ({ tenant: 'acme', since: new Date(0), nothing: undefined })

    expect(contextOf({}, { localeOf: undefined, valuesOf })).toEqual({
      values: { tenant: 'acme', since: '1970-01-01T00:00:00.000Z' },
    })
  })

  test.each([
    ['a list', () => [1], 'It gave a list'],
    ['a text', () => 'acme', 'It gave a string'],
    ['a promise', async () => ({}), 'at once'],
    ['a cycle', cycle, 'what a job cannot carry'],
    ['too much', () => ({ text: 'x'.repeat(5000) }), 'more than 4096 bytes'],
  ])('%s is an error that names the option', (_what, valuesOf, message) => {
    const rules = { localeOf: undefined, valuesOf: valuesOf as () => Record<string, unknown> }

    expect(() => readOrigin(request(), rules)).toThrow('"context"')
    expect(() => readOrigin(request(), rules)).toThrow(message)
  })

  function cycle() {
    const one: Record<string, unknown> = {}
    one.self = one
    return one
  }
})

closeJobsAfterEach()

describe.each(brokers)('on %s', (kind) => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  const headers = {
    'x-request-id': 'r-7',
    'accept-language': 'de-CH',
    traceparent,
    tracestate: 'vendor=1',
    'x-user': 'ann',
  }
  const asked = { requestId: 'r-7', traceparent, tracestate: 'vendor=1', locale: 'de-CH', owner: 'ann' }

  function told({ requestId, traceparent, tracestate, locale, owner, parentId, values }: TaskContext) {
    return { requestId, traceparent, tracestate, locale, owner, parentId, values }
  }

  test('a handler knows of the request, and so do its children', async () => {
    const child = defineTask(async (_: { depth: number }, context) => {
      // However the handler goes on.
      await new Promise((resolve) => setTimeout(resolve, 1))
      return told(context)
    })
    const parent = defineTask(async (_: undefined, context) => {
      await new Promise(setImmediate)
      const [one, many] = await Promise.all([child.enqueue({ depth: 1 }), child.enqueueMany([{ depth: 2 }])])
      return { own: told(context), children: [one.id, ...many.map(({ id }) => id)] }
    })
    const jobs = await openJobs({
      ...(await freshServers(kind)),
      tasks: { family: { child, parent } },
      owner: (req) => req.headers['x-user'] as string,
      context: () => ({ tenant: 'acme' }),
      worker: { concurrency: 4 },
    })

    const job = await runInRequest(request(headers), () => parent.enqueue())
    const { own, children } = (await job.result()) as { own: object; children: string[] }

    expect(own).toEqual({ ...asked, parentId: null, values: { tenant: 'acme' } })
    for (const id of children)
      expect(await jobs.job(id).result()).toEqual({ ...asked, parentId: job.id, values: { tenant: 'acme' } })
  })

  test('a job that nobody asked for over HTTP has none of it, and its children neither', async () => {
    const child = defineTask(async (_: undefined, context) => told(context))
    const parent = defineTask(async () => (await child.enqueue()).id)
    const jobs = await openJobs({
      ...(await freshServers(kind)),
      tasks: { family: { child, parent } },
      owner: () => null,
      worker: true,
    })
    const none = {
      requestId: null,
      traceparent: null,
      tracestate: null,
      locale: null,
      owner: null,
      values: {},
    }

    const job = await parent.enqueue(undefined, { owner: null })

    expect(await jobs.job(await job.result()).result()).toEqual({ ...none, parentId: job.id })
  })

  test('a child may be given another owner', async () => {
    const child = defineTask(async (_: undefined, { owner }) => owner)
    const parent = defineTask(async () => {
      const handles = [
        await child.enqueue(undefined, { owner: 'bob' }),
        await child.enqueue(undefined, { owner: null }),
      ]
      return handles.map(({ id }) => id)
    })
    const jobs = await openJobs({
      ...(await freshServers(kind)),
      tasks: { family: { child, parent } },
      owner: () => 'ann',
      worker: { concurrency: 3 },
    })

    const job = await runInRequest(request(), () => parent.enqueue())

    const ids = await job.result()
    expect(await Promise.all(ids.map((id) => jobs.job(id).result()))).toEqual(['bob', null])
  })

  test('currentJob is the own job for each of many that run at once, and nothing outside', async () => {
    const whoami = defineTask(async (_: number, { id }) => {
      await new Promise((resolve) => setTimeout(resolve, 5))
      return [id, currentJob()?.id]
    })
    await openJobs({
      ...(await freshServers(kind)),
      tasks: { self: { whoami } },
      worker: { concurrency: 10 },
    })

    const handles = await whoami.enqueueMany(Array.from({ length: 30 }, (_, at) => at))

    for (const handle of handles) expect(await handle.result()).toEqual([handle.id, handle.id])
    expect(currentJob()).toBeUndefined()
  })
})
