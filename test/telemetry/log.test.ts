import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { pino } from 'pino'
import { describe, expect, test } from 'vitest'
import { withoutPasswords } from '../../src/job/address.js'
import { toStoredError } from '../../src/job/json.js'
import { toPlainLine } from '../../src/job/log-line.js'
import { createRedactor } from '../../src/job/redact.js'
import { logEvents } from '../../src/telemetry/event-log.js'
import { createEvents } from '../../src/telemetry/events.js'
import { createJobLog, type Logger } from '../../src/telemetry/log.js'

const facts = {
  id: 'j-1',
  task: 'mail.send',
  attempt: 2,
  requestId: 'r-1',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
}

function lines(): { readonly log: Logger; readonly read: () => Record<string, unknown>[] } {
  const written: string[] = []
  const log = pino({ base: null, timestamp: false }, { write: (line: string) => void written.push(line) })
  return { log, read: () => written.map((line) => JSON.parse(line)) }
}

describe('each line of a handler', () => {
  test('says which job, task, attempt, request and trace it is of', () => {
    const { log, read } = lines()
    const jobLog = createJobLog(log, facts)

    jobLog.info('plain')
    jobLog.warn({ rows: 5 }, 'with details')
    jobLog.error(new Error('thrown'))

    const carried = {
      job: 'j-1',
      task: 'mail.send',
      attempt: 2,
      requestId: 'r-1',
      traceId: '0af7651916cd43dd8448eb211c80319c',
    }
    expect(read()).toMatchObject([
      { ...carried, level: 30, msg: 'plain' },
      { ...carried, level: 40, rows: 5, msg: 'with details' },
      { ...carried, level: 50, err: { message: 'thrown' } },
    ])
  })

  test('hides in the log what it hides in the store', () => {
    const { log, read } = lines()
    const hide = createRedactor(['payload.card.number', 'result.token'])
    const kept: unknown[] = []
    const keep = (_level: string, details: unknown, message?: unknown) =>
      void kept.push(JSON.parse(toPlainLine(details, message, hide).details ?? 'null'))
    const secret = { payload: { card: { number: '4111' } }, result: { token: 't' }, rows: 5 }

    createJobLog(log, facts, keep, hide).info(secret, 'charged')

    const shown = { payload: { card: { number: '[redacted]' } }, result: { token: '[redacted]' }, rows: 5 }
    expect(read()).toMatchObject([shown])
    expect(kept).toEqual([shown])
    expect(secret.payload.card.number).toBe('4111')
  })

  test('is written by a level that was changed while the handler ran', () => {
    const { log, read } = lines()
    const jobLog = createJobLog(log, facts)

    jobLog.debug('before')
    jobLog.info('first')
    log.level = 'debug'
    jobLog.debug('after')
    log.level = 'error'
    jobLog.warn('too low')

    expect(read().map(({ msg }) => msg)).toEqual(['first', 'after'])
  })

  test('is written, whatever is in it', () => {
    const { log, read } = lines()
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()

    createJobLog(log, facts, undefined, createRedactor(['payload.a'])).info(proxy, 'odd')

    expect(read()).toMatchObject([{ msg: 'odd' }])
  })
})

describe('each line of an attempt', () => {
  test('is one, and says what the lines of its handler say', () => {
    const { log, read } = lines()
    const events = createEvents(log)
    logEvents(events, log)
    const { id, task, requestId } = facts
    const job = { id, task, requestId, queue: 'default', maxAttempts: 3, owner: null, parentId: null }
    const event = { job, attempt: 2, worker: 'w', ms: 7 }
    const error = { name: 'Error', message: 'no\r\nforged: line' }

    events.emit('job.succeeded', event)
    events.emit('job.retrying', { ...event, error, retryInMs: 5, willRetryAt: new Date() })
    events.emit('job.failed', { ...event, error })

    const carried = { job: 'j-1', task: 'mail.send', attempt: 2, requestId: 'r-1', ms: 7 }
    expect(read()).toMatchObject([
      { ...carried, level: 30 },
      { ...carried, level: 40 },
      { ...carried, level: 50 },
    ])
  })
})

describe('a password in an address', () => {
  test.each([
    ['postgres://app:s3cret@db:5432/shop', 'postgres://app:***@db:5432/shop'],
    ['connect to redis://:s3cret@cache failed', 'connect to redis://:***@cache failed'],
    ['"rediss://u:p%40q@h"', '"rediss://u:***@h"'],
    ['postgres://u:a/b#c@h and more', 'postgres://u:***@h and more'],
    ['https://user:token@api.example.com/x', 'https://user:***@api.example.com/x'],
  ])('of %s is masked', (text, masked) => {
    expect(withoutPasswords(text)).toBe(masked)
    expect(toStoredError(new Error(text)).message).toBe(masked)
    expect(toStoredError(new Error(text)).stack).not.toContain('s3cret')
    expect(toStoredError(text).message).toBe(`Thrown: ${masked}`)
    expect(toPlainLine({ url: text }, text)).toEqual({
      message: masked,
      details: JSON.stringify({ url: masked }),
    })
  })

  test.each([
    'https://example.com:8080/users/ann@example.com',
    'mail ann@example.com: see https://example.com',
    'postgres://db:5432/shop',
    'no address at all',
  ])('%s has none', (text) => {
    expect(withoutPasswords(text)).toBe(text)
  })

  test.each([`a://${'b:'.repeat(25_000)}`, 'postgres://a:'.repeat(4000), 'a://b:c'.repeat(7000)])(
    'an evil text of 50 KB takes no time',
    (text) => {
      const from = performance.now()
      withoutPasswords(text)
      // A few milliseconds; a pattern that goes back and forth would take minutes.
      expect(performance.now() - from).toBeLessThan(500)
    },
  )

  test('is in no line of our own logger, wherever it stands', () => {
    const log = fileURLToPath(new URL('../../src/telemetry/log.ts', import.meta.url))
    const script = `
      import { createLog } from ${JSON.stringify(log)}
      for (const isTerminal of [false, true]) {
        const log = createLog('info', isTerminal)
        log.info({ deep: { url: 'postgres://app:s3cret@db/shop' } }, 'to redis://:s3cret@cache')
        log.error(new Error('no way to postgres://app:s3cret@db/shop'))
      }`
    const { stdout } = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      encoding: 'utf8',
    })

    expect(stdout.match(/\*\*\*@/g)?.length).toBeGreaterThanOrEqual(8)
    expect(stdout).not.toContain('s3cret')
  })
})
