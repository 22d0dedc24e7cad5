import { describe, expect, test } from 'vitest'
import { defineTask } from '../../src/task/define.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs } from '../support/lab.js'

closeJobsAfterEach()

const oddTexts = ['\u0000', 'a\u0000b', '\ud800', 'x\udfffy', '\u2028', '𝄞', '\\u0000', '"\\"']

const nasty = {
  throwNull: defineTask(() => {
    throw null
  }),
  throwUndefined: defineTask(() => {
    throw undefined
  }),
  throwText: defineTask(() => {
    throw 'just text'
  }),
  throwTrap: defineTask(() => {
    throw Object.defineProperty(new Error('hidden'), 'message', {
      get() {
        throw new Error('trap')
      },
    })
  }),
  throwRevoked: defineTask(() => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    throw proxy
  }),
  throwLong: defineTask(() => {
    throw new Error('x'.repeat(1_000_000))
  }),
  throwOdd: defineTask((text: string) => {
    throw new Error(text)
  }),
  echo: defineTask((value: unknown) => value),
  report: defineTask(async (value: unknown, { progress }) => {
    await progress(value)
  }),
  bigint: defineTask(() => 1n),
  cycle: defineTask(() => {
    const value: { self?: unknown } = {}
    value.self = value
    return value
  }),
  deep: defineTask(() => {
    let value: unknown = 1
    for (let depth = 0; depth < 20_000; depth += 1) value = [value]
    return value
  }),
  badToJson: defineTask(() => ({
    toJSON() {
      throw new Error('no JSON')
    },
  })),
  aFunction: defineTask(() => () => 1),
  aSymbol: defineTask(() => Symbol('s')),
  large: defineTask(() => 'x'.repeat(3_000_000)),
}

describe.each(brokers)('hostile values on %s', (kind) => {
  test('whatever is thrown, the job fails once, with what could be read (F44)', async () => {
    await openJobs({ ...(await freshServers(kind)), tasks: { nasty }, worker: true })
    const expected = [
      [nasty.throwNull, 'Thrown: null'],
      [nasty.throwUndefined, 'Thrown: undefined'],
      [nasty.throwText, 'Thrown: just text'],
      [nasty.throwTrap, 'An error that cannot be read'],
      [nasty.throwRevoked, 'An error that cannot be read'],
      [nasty.throwLong, `${'x'.repeat(10_000)} …`],
    ] as const

    for (const [task, message] of expected) {
      const job = await task.enqueue()
      await expect(job.result()).rejects.toThrow()

      const status = await job.status()
      expect(status).toMatchObject({ state: 'failed', attempt: 1 })
      expect(status.error?.message).toContain(message)
    }
  })

  test('NUL and lone surrogates survive in payload, result, progress and error message (F42)', async () => {
    await openJobs({ ...(await freshServers(kind)), tasks: { nasty }, worker: true })

    for (const text of oddTexts) {
      const echo = await nasty.echo.enqueue({ text, [text]: [text] })
      expect(await echo.result()).toEqual({ text, [text]: [text] })

      const failing = await nasty.throwOdd.enqueue(text)
      await expect(failing.result()).rejects.toThrow()
      expect((await failing.status()).error?.message).toBe(text)

      const reporting = await nasty.report.enqueue({ text })
      await reporting.result()
      expect((await reporting.status()).progress).toEqual({ text })
    }
  })

  test('an odd error message survives in the list of past attempts, too', async () => {
    const again = defineTask({
      attempts: 2,
      backoff: { type: 'fixed', delay: 1 },
      run: (text: string) => {
        throw new Error(text)
      },
    })
    await openJobs({ ...(await freshServers(kind)), tasks: { nasty: { again } }, worker: true })

    for (const text of oddTexts) {
      const job = await again.enqueue(text)
      await expect(job.result()).rejects.toThrow()

      expect((await job.status()).attempts).toMatchObject([{ outcome: 'failed', error: { message: text } }])
    }
  })

  test('a result that JSON cannot carry ends the job succeeded, with the reason, and is not run again (F43)', async () => {
    await openJobs({ ...(await freshServers(kind)), tasks: { nasty }, worker: true })
    const { bigint, cycle, deep, badToJson, aFunction, aSymbol, large } = nasty

    for (const task of [bigint, cycle, deep, badToJson, aFunction, aSymbol, large]) {
      const job = await task.enqueue()
      await expect(job.result()).rejects.toThrow('the result could not be kept')

      const status = await job.status()
      expect(status).toMatchObject({ state: 'succeeded', attempt: 1, attempts: [] })
      expect(status.resultError).toContain('the result could not be kept')
    }
  })
})
