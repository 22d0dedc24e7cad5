import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { PayloadInvalidError, PayloadTooLargeError } from '../../src/errors.js'
import { type AnyTask, defineTask } from '../../src/task/define.js'
import { fromPayloadText, toPayloadText } from '../../src/task/payload.js'

const limit = 1_048_576
const anything = defineTask(async (value: unknown) => value)

async function textOf(payload: unknown, task: AnyTask = anything, maxBytes = limit) {
  return toPayloadText('test.task', task, payload, maxBytes)
}

async function issuesOf(payload: unknown, task?: AnyTask) {
  const error = await textOf(payload, task).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(PayloadInvalidError)
  return (error as PayloadInvalidError).issues
}

describe('with a schema', () => {
  test.each([
    ['zod', z.object({ to: z.object({ mail: z.string() }), tags: z.array(z.string()) })],
    ['valibot', v.object({ to: v.object({ mail: v.string() }), tags: v.array(v.string()) })],
    ['arktype', type({ to: { mail: 'string' }, tags: 'string[]' })],
  ])('%s says what is wrong and where', async (_, payload) => {
    const task = defineTask({ payload, run() {} })

    const issues = await issuesOf({ to: { mail: 'a@b.c' }, tags: ['a', 1] }, task)

    expect(issues).toEqual([{ path: ['tags', 1], message: expect.stringContaining('string') }])
  })

  test('an asynchronous schema is awaited', async () => {
    const task = defineTask({
      payload: z.string().refine(async (name) => name !== 'taken', 'is taken'),
      run() {},
    })

    expect(await textOf('free', task)).toBe('"free"')
    expect(await issuesOf('taken', task)).toEqual([{ path: [], message: 'is taken' }])
  })

  test('a payload is stored as given, and transformed anew at each attempt', async () => {
    const payload = z.object({
      at: z.string().transform((text) => new Date(text)),
      copies: z.number().default(1),
    })
    const task = defineTask({ payload, run() {} })

    const text = await textOf({ at: '2030-01-01T00:00:00Z' }, task)

    expect(text).toBe('{"at":"2030-01-01T00:00:00Z"}')
    const parsed = { at: new Date('2030-01-01T00:00:00Z'), copies: 1 }
    expect(await fromPayloadText('test.task', task, text)).toEqual(parsed)
    expect(await fromPayloadText('test.task', task, text)).toEqual(parsed)
  })

  test('a stored payload that no longer passes is refused', async () => {
    const task = defineTask({ payload: z.object({ month: z.string() }), run() {} })

    const parse = () => fromPayloadText('test.task', task, '{"month":5}')

    expect(parse).toThrow('Invalid payload for task "test.task": month: Invalid input')
  })

  test('what JSON would change is checked as it arrives: a Date is refused by z.date(), taken by z.coerce.date()', async () => {
    const strict = defineTask({ payload: z.object({ at: z.date() }), run() {} })
    const coerced = defineTask({ payload: z.object({ at: z.coerce.date() }), run() {} })
    const payload = { at: new Date(0) }

    expect(await issuesOf(payload, strict)).toMatchObject([{ path: ['at'] }])
    expect(await textOf(payload, coerced)).toBe('{"at":"1970-01-01T00:00:00.000Z"}')
  })

  test('an error that the schema itself throws is no verdict on the payload', async () => {
    const offline = new Error('directory is offline')
    const payload = z.string().refine(() => {
      throw offline
    })

    await expect(textOf('x', defineTask({ payload, run() {} }))).rejects.toBe(offline)
  })
})

describe('no payload', () => {
  test('undefined comes back as undefined, and null as null', async () => {
    const absent = await textOf(undefined)

    expect(JSON.parse(absent)).toBe(null)
    expect(await fromPayloadText('test.task', anything, absent)).toBe(undefined)
    expect(await fromPayloadText('test.task', anything, await textOf(null))).toBe(null)
  })

  test('a default of the schema applies', async () => {
    const task = defineTask({ payload: z.object({ days: z.number() }).default({ days: 7 }), run() {} })

    expect(await fromPayloadText('test.task', task, await textOf(undefined, task))).toEqual({ days: 7 })
    expect(await issuesOf(null, task)).toHaveLength(1)
  })
})

describe('without a schema', () => {
  const shared = { a: 1 }
  test.each([
    ['plain data', { a: [1, 'x', null, true, { b: 0.5 }] }],
    ['NUL and lone surrogates', { text: 'a\u0000b\ud800' }],
    ['own keys that look like the prototype', JSON.parse('{"__proto__":{"admin":true},"constructor":1}')],
    ['one object in two places', [shared, shared]],
    ['999 levels', nested(999)],
  ])('%s arrive as they were', async (_, payload) => {
    const arrived = await fromPayloadText('test.task', anything, await textOf(payload))

    expect(arrived).toEqual(payload)
  })

  test.each([
    ['a BigInt', { user: { id: 1n } }, ['user', 'id'], 'is a BigInt'],
    ['a function', { on: [() => {}] }, ['on', 0], 'is a function'],
    ['a symbol', { kind: Symbol('x') }, ['kind'], 'is a symbol'],
    ['NaN', { ratio: 0 / 0 }, ['ratio'], 'is NaN'],
    ['a promise', { rows: Promise.resolve() }, ['rows'], 'await it first'],
    ['a Map', { rows: new Map() }, ['rows'], 'is a Map'],
    ['an error', { error: new Error('x') }, ['error'], 'JSON turns into {}'],
    ['bytes', { file: new Uint8Array(3) }, ['file'], 'is binary data'],
    ['a function alone', () => {}, [], 'is a function'],
    [
      'a getter that throws',
      {
        get secret() {
          throw new Error('no')
        },
      },
      [],
      'cannot be read: no',
    ],
    [
      'a toJSON that throws',
      {
        a: {
          toJSON() {
            throw null
          },
        },
      },
      ['a'],
      'cannot be read',
    ],
    ['a revoked proxy', { a: revoked() }, ['a'], 'cannot be read'],
  ])('%s is refused, with its place', async (_, payload, path, message) => {
    expect(await issuesOf(payload)).toEqual([{ path, message: expect.stringContaining(message) }])
  })

  test('a cycle is named as such', async () => {
    const job: Record<string, unknown> = { name: 'loop' }
    job.self = { job }

    const [issue] = await issuesOf(job)

    expect(issue?.message).toContain('refers back to itself')
    expect(issue?.path.slice(0, 3)).toEqual(['self', 'job', 'self'])
  })

  test.each([1001, 20_000, 200_000])('%i levels are refused', async (depth) => {
    const [issue] = await issuesOf(nested(depth))

    expect(issue?.message).toContain('nested more than 1000 levels deep')
  })
})

describe('size', () => {
  test('counts bytes of UTF-8 JSON', async () => {
    expect(await textOf('ä'.repeat(4), anything, 10)).toHaveLength(6)
    await expect(textOf('ä'.repeat(5), anything, 10)).rejects.toThrow(PayloadTooLargeError)
    await expect(textOf('\u0000\u0000', anything, 10)).rejects.toThrow('It has 14 bytes')
  })

  test('a small graph that repeats itself endlessly is refused at once', async () => {
    let bomb: unknown[] = ['ha']
    for (let level = 0; level < 60; level += 1) bomb = [bomb, bomb]
    const started = performance.now()

    await expect(textOf(bomb)).rejects.toThrow(PayloadTooLargeError)

    expect(performance.now() - started).toBeLessThan(1000)
  })

  test('so are an endless sparse array and a text longer than any string', async () => {
    const text = 'x'.repeat(2 ** 28)

    await expect(textOf(new Array(2 ** 31))).rejects.toThrow(PayloadTooLargeError)
    await expect(textOf([text, text, text])).rejects.toThrow(PayloadTooLargeError)
  })
})

function nested(depth: number): unknown {
  let value: unknown = 0
  for (let level = 0; level < depth; level += 1) value = [value]
  return value
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  return proxy
}
