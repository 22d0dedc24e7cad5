import { describe, expect, test } from 'vitest'
import { toPlainLine } from '../../src/job/log-line.js'
import { redactorFor } from '../../src/job/redact.js'

describe('a line that is kept', () => {
  test.each<[string, unknown[], string, unknown]>([
    ['a message', ['built'], 'built', null],
    ['details and a message', [{ rows: 5 }, 'built'], 'built', { rows: 5 }],
    ['details alone', [{ rows: 5 }], '', { rows: 5 }],
    ['nothing', [undefined], 'undefined', null],
    ['a number', [5], '5', null],
    ['a symbol', [Symbol('s')], 'Symbol(s)', null],
    ['NUL and a lone surrogate', ['a\0b\ud800'], 'a\ufffdb\ufffd', null],
    ['a date', [{ at: new Date(0) }, ''], '', { at: '1970-01-01T00:00:00.000Z' }],
    ['a date that is none', [{ at: new Date(Number.NaN) }, ''], '', { at: 'Invalid Date' }],
    ['a bigint', [{ n: 5n }, ''], '', { n: '5' }],
    ['what JSON has no number for', [{ n: Number.NaN, m: Infinity }, ''], '', { n: 'NaN', m: 'Infinity' }],
    ['a function', [{ f: function f() {} }, ''], '', { f: 'function f() {}' }],
    ['bytes', [{ body: Buffer.alloc(10) }, ''], '', { body: '[10 bytes]' }],
    ['a list', [[1, 'two', [3]], 'list'], 'list', [1, 'two', [3]]],
  ])('of %s', (_what, [first, second], message, details) => {
    const line = toPlainLine(first, second)

    expect(line.message).toBe(message)
    expect(line.details === null ? null : JSON.parse(line.details)).toEqual(details)
  })

  test('of an error has its message, and its stack among the details', () => {
    const line = toPlainLine(Object.assign(new TypeError('no'), { code: 'E1' }))

    expect(line.message).toBe('no')
    expect(JSON.parse(line.details ?? '')).toEqual({
      err: { name: 'TypeError', message: 'no', code: 'E1', stack: expect.stringContaining('log-line.test') },
    })
  })

  test('of an error among details has it as plain data', () => {
    const { details } = toPlainLine({ err: new Error('deep') }, 'failed')

    expect(JSON.parse(details ?? '')).toMatchObject({ err: { name: 'Error', message: 'deep' } })
  })

  test('of what goes in circles ends', () => {
    const circle: Record<string, unknown> = { name: 'a' }
    circle.self = circle

    expect(JSON.parse(toPlainLine(circle, '').details ?? '')).toEqual({ name: 'a', self: '[circular]' })
  })

  test('of what stands twice, and goes in no circle, has it twice', () => {
    const twice = { n: 1 }

    expect(JSON.parse(toPlainLine({ a: twice, b: twice }, '').details ?? '')).toEqual({ a: twice, b: twice })
  })

  const throwing = {
    good: 1,
    get bad() {
      throw new Error('no')
    },
  }
  const revoked = Proxy.revocable({}, {})
  revoked.revoke()
  const unprintable = {
    toString() {
      throw new Error('no')
    },
  }
  test.each<[string, unknown[], unknown]>([
    ['a getter that throws', [throwing, ''], { good: 1, bad: '[unreadable]' }],
    ['a revoked proxy', [{ p: revoked.proxy }, ''], { p: '[unreadable]' }],
    ['a message that cannot be printed', [{ a: 1 }, unprintable], { a: 1 }],
  ])('is written in spite of %s', (_what, [first, second], details) => {
    expect(JSON.parse(toPlainLine(first, second).details ?? '')).toEqual(details)
  })

  test('of a revoked proxy itself does not throw', () => {
    expect(toPlainLine(revoked.proxy).message).toBe('[unreadable]')
  })

  test('has no details that are to be hidden, nor those of something that JSON would have made anew', () => {
    const hide = redactorFor(['payload.password'])
    class Payload {
      readonly user = 'ann'
      readonly password = 'hunter2'
    }

    const { details } = toPlainLine({ payload: new Payload() }, 'enqueued', hide)

    expect(JSON.parse(details ?? '')).toEqual({ payload: { user: 'ann', password: '[redacted]' } })
  })

  test('is cut where it is long', () => {
    const { message } = toPlainLine('x'.repeat(100_000))

    expect(message).toHaveLength('x'.repeat(4096).length + ' … (95904 characters more)'.length)
    expect(message.endsWith(' … (95904 characters more)')).toBe(true)
  })

  test('leaves out details that are too large, and says so', () => {
    const rows = Array.from({ length: 100 }, () => 'x'.repeat(500))

    expect(JSON.parse(toPlainLine({ rows }, '').details ?? '')).toEqual({
      omitted: expect.stringMatching(/^The details have \d+ bytes of JSON, and 8192 are kept\.$/),
    })
  })

  test('takes no longer for what is huge', () => {
    const grow = (depth: number): unknown =>
      depth === 0 ? 1 : Object.fromEntries(Array.from({ length: 50 }, (_, n) => [`k${n}`, grow(depth - 1)]))
    const huge = grow(4) as object
    const began = performance.now()

    toPlainLine(huge, '')

    expect(performance.now() - began).toBeLessThan(50)
  })
})
