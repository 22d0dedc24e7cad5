import { describe, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import type { CeleriacOptions } from '../../src/config/options.js'
import { TimeLimitError } from '../../src/errors.js'
import type { JobHandle, StoredError } from '../../src/job/job.js'
import type { Celeriac } from '../../src/plugin.js'
import { defineTask } from '../../src/task/define.js'
import type { JobHooks } from '../../src/task/hooks.js'

// What a user's editor must say. The compiler checks this file; nothing in it runs against a server.
declare const jobs: Celeriac

const never = (..._: unknown[]) => {}
const schema = z.object({ month: z.string(), since: z.string().transform((text) => new Date(text)) })

interface Parsed {
  month: string
  since: Date
}

describe('types of hooks', () => {
  test('payload and result are those of the task, after transforms and promises', () => {
    const build = defineTask({
      payload: schema,
      async run({ month }) {
        return { url: month }
      },
      onStart({ payload, attempt, job }) {
        expectTypeOf(payload).toEqualTypeOf<Parsed>()
        expectTypeOf(attempt).toEqualTypeOf<number>()
        expectTypeOf(job.id).toEqualTypeOf<string>()
        expectTypeOf(job.owner).toEqualTypeOf<string | null>()
      },
      onSuccess({ payload, result, ms }) {
        expectTypeOf(payload).toEqualTypeOf<Parsed>()
        expectTypeOf(result).toEqualTypeOf<{ url: string }>()
        expectTypeOf(ms).toEqualTypeOf<number>()
      },
      onRetry({ payload, error, willRetryAt }) {
        expectTypeOf(payload).toEqualTypeOf<Parsed | undefined>()
        expectTypeOf(error).toEqualTypeOf<StoredError>()
        expectTypeOf(willRetryAt).toEqualTypeOf<Date>()
      },
      onFailure({ payload, error }) {
        expectTypeOf(payload).toEqualTypeOf<Parsed | undefined>()
        expectTypeOf(error.message).toEqualTypeOf<string>()
      },
      onCancel({ by, reason }) {
        expectTypeOf(by).toEqualTypeOf<string | null>()
        expectTypeOf(reason).toEqualTypeOf<string | null>()
      },
      onEnd(event) {
        expectTypeOf(event.state).toEqualTypeOf<'succeeded' | 'failed' | 'cancelled' | 'expired'>()
        if (event.state === 'succeeded') expectTypeOf(event.result).toEqualTypeOf<{ url: string }>()
        if (event.state === 'failed') expectTypeOf(event.error).toEqualTypeOf<StoredError>()
        // @ts-expect-error only where it has succeeded
        event.result
      },
    })

    expectTypeOf(build.enqueue).parameter(0).toEqualTypeOf<{ month: string; since: string }>()
    never(() =>
      expectTypeOf(build.enqueue({ month: '1', since: '' })).resolves.toEqualTypeOf<
        JobHandle<{ url: string }>
      >(),
    )
  })

  test('without a schema the payload is what run says', () => {
    defineTask({
      run: (sum: { a: number; b: number }) => sum.a + sum.b,
      onSuccess({ payload, result }) {
        expectTypeOf(payload).toEqualTypeOf<{ a: number; b: number }>()
        expectTypeOf(result).toEqualTypeOf<number>()
      },
    })
  })

  test('hooks do not change what run is taken to return', () => {
    const task = defineTask({ payload: schema, run: () => 7, onSuccess: () => 'whatever' })

    never(() => expectTypeOf(task.run({} as Parsed, {} as never)).resolves.toEqualTypeOf<number>())
  })

  test('an unknown hook is an error', () => {
    never(() => {
      // @ts-expect-error no such hook
      defineTask({ payload: schema, run: () => 7, onSucces: () => {} })
    })
  })

  test('hooks of the app know no payload', () => {
    const hooks = {
      onFailure({ payload, error }) {
        expectTypeOf(payload).toEqualTypeOf<unknown>()
        expectTypeOf(error).toEqualTypeOf<StoredError>()
      },
      onEnd: ({ job }) => job.task,
    } satisfies JobHooks

    expectTypeOf({ hooks }).toExtend<CeleriacOptions>()
    // The same may be shared by some tasks.
    defineTask({ payload: schema, run: () => 7, ...hooks })
  })
})

describe('types of the failure policy', () => {
  test('a backoff is an object, a list, or a function of failures and error', () => {
    const run = () => {}
    defineTask({ run, backoff: ['1s', 10_000, '5m'] })
    defineTask({ run, backoff: { delay: ['1s'], jitter: 0.5, max: '1h' } })
    defineTask({ run, backoff: (failures) => failures * 1000 })
    defineTask({
      run,
      backoff(failures, error) {
        expectTypeOf(failures).toEqualTypeOf<number>()
        expectTypeOf(error).toEqualTypeOf<unknown>()
        return `${failures}m`
      },
    })
    never(() => {
      // @ts-expect-error that is no duration
      defineTask({ run, backoff: ['soon'] })
      // @ts-expect-error nor is a promise
      defineTask({ run, backoff: async () => 5 })
    })
  })

  test("a call's own is plain data", () => {
    never(() => {
      jobs.enqueue('mail.send', {}, { backoff: ['1s'] })
      // @ts-expect-error a row keeps no function
      jobs.enqueue('mail.send', {}, { backoff: () => 5 })
    })
  })

  test('retryOn and giveUpOn take classes, codes, functions, and lists of them', () => {
    class Gone extends Error {
      constructor(url: URL) {
        super(url.href)
      }
    }
    abstract class Base extends Error {}
    const run = () => {}

    defineTask({ run, retryOn: Gone, giveUpOn: 'ENOENT' })
    defineTask({ run, retryOn: [TimeLimitError, Base, 'ECONNRESET', (error) => error === 'busy'] })
    never(() => {
      // @ts-expect-error a number is no code
      defineTask({ run, retryOn: 404 })
    })
  })
})

describe('types of events', () => {
  test('listeners know what they are told', () => {
    never(() => {
      jobs.on('job.failed', ({ job, error, ms }) => {
        expectTypeOf(job.task).toEqualTypeOf<string>()
        expectTypeOf(error).toEqualTypeOf<StoredError>()
        expectTypeOf(ms).toEqualTypeOf<number | null>()
      })
      jobs.on('worker.lost', ({ worker }) => expectTypeOf(worker.name).toEqualTypeOf<string>())
      expectTypeOf(jobs.on('job.lost', () => {})).toEqualTypeOf<() => void>()
      // @ts-expect-error no such event
      jobs.on('job.fail', () => {})
      // @ts-expect-error a snooze has no error
      jobs.on('job.snoozed', ({ error }) => error)
    })
  })
})
