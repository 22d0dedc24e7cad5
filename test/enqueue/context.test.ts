import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Request } from 'express'
import { describe, expect, test } from 'vitest'
import { currentRequest, readOrigin, readOwner, runInRequest } from '../../src/enqueue/context.js'

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
