import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { ConfigError, TaskNotRegisteredError } from '../../src/errors.js'
import type { EnqueuedStream, JobHandle } from '../../src/job/job.js'
import { bind, type Enqueuer } from '../../src/task/binding.js'
import { toPath } from '../../src/task/caller.js'
import {
  type AnyTask,
  type CheckedTask,
  defineTask,
  definitionOf,
  isTask,
  type Task,
  type TaskContext,
} from '../../src/task/define.js'

const context: TaskContext = {
  id: '019ab000-0000-7000-8000-000000000000',
  task: 'math.add',
  attempt: 1,
  maxAttempts: 1,
  queue: 'default',
  owner: null,
  requestId: null,
  traceparent: null,
  tracestate: null,
  locale: null,
  values: {},
  parentId: null,
  signal: new AbortController().signal,
  progress: async () => {},
  complete: async <R>({ result }: { result?: R }) => result as R,
  log: { trace() {}, debug() {}, info() {}, warn() {}, error() {} },
}

describe('types', () => {
  test('a schema of any library gives enqueue its input and run its output', () => {
    const withZod = defineTask({
      payload: z.object({ month: z.string(), copies: z.string().transform(Number) }),
      async run({ month, copies }, { attempt }) {
        expectTypeOf(month).toEqualTypeOf<string>()
        expectTypeOf(copies).toEqualTypeOf<number>()
        return { url: month, attempt }
      },
    })
    const withValibot = defineTask({
      payload: v.object({ to: v.string() }),
      run: ({ to }) => to.length,
    })
    const withArktype = defineTask({
      payload: type({ to: 'string' }),
      run: ({ to }) => to.length,
    })

    expectTypeOf(withZod.enqueue).parameter(0).toEqualTypeOf<{ month: string; copies: string }>()
    expectTypeOf(withZod.enqueue).returns.resolves.toEqualTypeOf<
      JobHandle<{ url: string; attempt: number }>
    >()
    expectTypeOf(withZod.run).parameter(0).toEqualTypeOf<{ month: string; copies: number }>()
    expectTypeOf(withValibot).toExtend<CheckedTask<{ to: string }, { to: string }, number>>()
    expectTypeOf(withArktype).toExtend<CheckedTask<{ to: string }, { to: string }, number>>()
    const payload = { month: 'May', copies: '2' }
    const many = () => withZod.enqueueMany([payload])
    expectTypeOf(many).returns.resolves.toEqualTypeOf<JobHandle<{ url: string; attempt: number }>[]>()
    // @ts-expect-error its copies are texts
    const wrong = () => withZod.enqueueMany([{ month: 'May', copies: 2 }])
    expectTypeOf(wrong).toBeFunction()
  })

  test('enqueueMany takes any iterable, and then gives counts instead of handles', () => {
    const square = defineTask(async (n: number) => String(n * n))
    async function* numbers() {
      yield 1
    }
    const stream = () =>
      square.enqueueMany(numbers(), {
        onChunk: ({ jobs, accepted }) => {
          expectTypeOf(jobs).toEqualTypeOf<readonly JobHandle<string>[]>()
          expectTypeOf(accepted).toEqualTypeOf<number>()
        },
      })
    expectTypeOf(stream).returns.resolves.toEqualTypeOf<EnqueuedStream>()
    const set = () => square.enqueueMany(new Set([1, 2]))
    expectTypeOf(set).returns.resolves.toEqualTypeOf<EnqueuedStream>()
    // @ts-expect-error these are no numbers
    const wrong = () => square.enqueueMany(new Set(['1']))
    // @ts-expect-error a key is for one job
    const keyed = () => square.enqueueMany(numbers(), { idempotencyKey: 'a' })
    expectTypeOf(wrong).toEqualTypeOf(keyed)
  })

  test('the short form is typed by its function', () => {
    const add = defineTask(async ({ a, b }: { a: number; b: number }) => a + b)

    expectTypeOf(add).toEqualTypeOf<Task<{ a: number; b: number }, { a: number; b: number }, number>>()
  })

  test('the long form without a schema is typed by run', () => {
    const add = defineTask({
      attempts: 3,
      run: async ({ a }: { a: number }, { signal }) => ({ a, aborted: signal.aborted }),
    })

    expectTypeOf(add.enqueue).parameter(0).toEqualTypeOf<{ a: number }>()
    expectTypeOf(add.enqueue).returns.resolves.toEqualTypeOf<JobHandle<{ a: number; aborted: boolean }>>()
  })

  test('a wrong payload does not compile', () => {
    const add = defineTask(async ({ a, b }: { a: number; b: number }) => a + b)
    const greet = defineTask({ payload: z.object({ name: z.string() }), run: ({ name }) => name })
    const calls = () => [
      // @ts-expect-error: b is missing
      add.enqueue({ a: 1 }),
      // @ts-expect-error: b is no number
      add.enqueue({ a: 1, b: '2' }),
      // @ts-expect-error: a payload is needed
      add.enqueue(),
      // @ts-expect-error: c is not known
      add.enqueue({ a: 1, b: 2, c: 3 }),
      // @ts-expect-error: name is no string
      greet.enqueue({ name: 1 }),
      // @ts-expect-error: one of the payloads is wrong
      greet.enqueueMany([{ name: 'a' }, { nam: 'b' }]),
      // @ts-expect-error: no such option
      greet.enqueue({ name: 'a' }, { dely: '1s' }),
    ]

    expect(calls).toBeTypeOf('function')
  })

  test('an option of the wrong kind does not compile', () => {
    const definitions = [
      // @ts-expect-error: no such option
      () => defineTask({ atempts: 3, run: async () => {} }),
      // @ts-expect-error: attempts is a number
      () => defineTask({ attempts: '3', run: async () => {} }),
      // @ts-expect-error: run takes what the schema gives
      () => defineTask({ payload: z.object({ a: z.string() }), run: async ({ a }: { a: number }) => a }),
      // @ts-expect-error: run is missing
      () => defineTask({ attempts: 3 }),
    ]

    expect(definitions).toHaveLength(4)
  })

  test('a task without payload is enqueued without argument, or with options only', () => {
    const short = defineTask(async () => 'done')
    const long = defineTask({ run: async (_, { log }) => log.info('done') })
    const optional = defineTask(async (days?: number) => days ?? 7)
    const optionalSchema = defineTask({
      payload: z.object({ days: z.number() }).optional(),
      run: (p) => p?.days,
    })
    const calls = () => [
      short.enqueue(),
      short.enqueue(undefined, { delay: '1s' }),
      long.enqueue(),
      optional.enqueue(),
      optional.enqueue(3),
      optionalSchema.enqueue(),
      optionalSchema.enqueue({ days: 3 }),
      // @ts-expect-error: it takes none
      short.enqueue({ a: 1 }),
    ]

    expectTypeOf(long.enqueue).returns.resolves.toEqualTypeOf<JobHandle<void>>()
    expectTypeOf(optionalSchema.enqueue).returns.resolves.toEqualTypeOf<JobHandle<number | undefined>>()
    expect(calls).toBeTypeOf('function')
  })

  test('options before and after run, and the schema after it, leave the types as they are', () => {
    const before = defineTask({
      attempts: 5,
      backoff: { type: 'exponential', delay: '1s', max: '10m', jitter: 1 },
      payload: z.object({ a: z.number() }),
      async run({ a }, { progress }) {
        await progress({ percent: a })
        return a
      },
    })
    const after = defineTask({
      async run({ a }, { progress }) {
        await progress({ percent: a })
        return a
      },
      payload: z.object({ a: z.number() }),
      timeLimit: '5m',
      queue: 'slow',
    })

    expectTypeOf(before).toEqualTypeOf<typeof after>()
    expectTypeOf(after).toEqualTypeOf<CheckedTask<{ a: number }, { a: number }, number>>()
  })

  test('a task may enqueue itself, when its return type is written', () => {
    const walk = defineTask({
      payload: z.object({ depth: z.number() }),
      async run({ depth }): Promise<number> {
        if (depth > 0) await walk.enqueue({ depth: depth - 1 })
        return depth
      },
    })
    const count = defineTask(async (n: number): Promise<void> => {
      if (n > 0) await count.enqueue(n - 1)
    })

    expectTypeOf(walk).toEqualTypeOf<CheckedTask<{ depth: number }, { depth: number }, number>>()
    expectTypeOf(count).toEqualTypeOf<Task<number, number, void>>()
  })

  test('functions may make tasks and take them, generically', () => {
    function defineEcho<Value>(prefix: string, work: (value: Value) => Promise<string>) {
      return defineTask(async (value: Value) => `${prefix}${await work(value)}`)
    }
    async function enqueueTwice<Input, Payload, Result>(task: Task<Input, Payload, Result>, payload: Input) {
      const [first] = await Promise.all([task.enqueue(payload), task.enqueue(payload)])
      return first.result()
    }
    const echo = defineEcho('> ', async (n: number) => String(n))
    const calls = () => enqueueTwice(echo, 1)

    expectTypeOf(echo.enqueue).parameter(0).toEqualTypeOf<number>()
    expectTypeOf(calls).returns.resolves.toEqualTypeOf<string>()
    expectTypeOf(echo).toExtend<AnyTask>()
  })

  test('only a task with a schema is a checked one', () => {
    const checked = defineTask({ payload: z.object({ a: z.number() }), run: ({ a }) => a })
    const unchecked = defineTask(async (a: number) => a)

    expectTypeOf(checked).toExtend<CheckedTask<{ a: number }, { a: number }, number>>()
    expectTypeOf(unchecked).not.toExtend<CheckedTask<number, number, number>>()
  })
})

describe('definition', () => {
  test('the function of a task runs without any app, for tests', async () => {
    const add = defineTask(async ({ a, b }: { a: number; b: number }, { task }) => `${task} ${a + b}`)

    expect(await add.run({ a: 1, b: 2 }, context)).toBe('math.add 3')
  })

  test('a task remembers the file that defined it, and is recognised', () => {
    const task = defineTask(async () => {})

    expect(toPath(definitionOf(task).file ?? '')).toBe(import.meta.filename)
    expect(isTask(task)).toBe(true)
    expect([{}, null, undefined, 'task', () => {}].some(isTask)).toBe(false)
  })

  test('options are checked and made plain', () => {
    const { timeLimit, backoff, attempts } = definitionOf(
      defineTask({ attempts: 5, timeLimit: '5m', backoff: { type: 'exponential', delay: '2s' }, run() {} }),
    )

    expect({ timeLimit, backoff, attempts }).toEqual({
      timeLimit: { softMs: 300_000, hardMs: null },
      attempts: 5,
      backoff: { type: 'exponential', delayMs: 2000, maxMs: 600_000, jitter: 1 },
    })
  })

  test.each([
    [{ atempts: 3 }, 'defineTask has no option "atempts". Did you mean "attempts"?'],
    [{ attempts: 0 }, '"attempts" of defineTask must be a whole number of 1 or more, and is 0.'],
    [{ attempts: 1.5 }, 'and is 1.5.'],
    [{ name: 'mail.send', attempts: '3' }, '"attempts" of task "mail.send" must be a whole number'],
    [{ timeLimit: '5 minutes' }, '"timeLimit" of defineTask must be a duration'],
    [{ timeLimit: 0 }, 'at least 1 ms'],
    [
      { backoff: { type: 'expo' } },
      `"backoff" of defineTask.type must be 'fixed' or 'exponential', and is "expo".`,
    ],
    [{ backoff: { type: 'fixed', dely: 1 } }, 'Did you mean "delay"?'],
    [{ backoff: { type: 'fixed', jitter: 2 } }, 'a number from 0 to 1'],
    [{ backoff: { type: 'fixed', delay: '1m', max: '1s' } }, 'at least the delay (60000 ms)'],
    [{ queue: 'a:b' }, 'the name of a queue'],
    [{ queue: '' }, 'the name of a queue'],
    [{ priority: -1 }, 'a whole number from 0'],
    [{ name: 'two words' }, 'a name of 1 to 200 characters'],
    [{ name: 'x'.repeat(50_000) }, 'a name of 1 to 200 characters'],
    [{ aliases: 'old.name' }, 'a list of names'],
    [{ payload: { month: 'string' } }, 'a schema of a library that implements Standard Schema'],
    [{ run: 'later' }, '"run" of defineTask must be a function'],
  ])('%j is refused', (options, message) => {
    const define = () => defineTask({ run() {}, ...options } as unknown as () => void)

    expect(define).toThrow(ConfigError)
    expect(define).toThrow(message)
  })

  test.each([[undefined], [null], ['run'], [[]]])('%j is no definition', (given) => {
    expect(() => defineTask(given as unknown as () => void)).toThrow(ConfigError)
  })
})

describe('binding', () => {
  test('without an open app the error says what to do', async () => {
    const task = defineTask({ name: 'mail.send', async run() {} })

    await expect(task.enqueue()).rejects.toThrow(TaskNotRegisteredError)
    await expect(task.enqueue()).rejects.toThrow(/Task "mail.send" was enqueued, and no celeriac\(\) is open/)
  })

  test('with two open apps the newest enqueues, and the older one takes over when it closes', async () => {
    const task = defineTask(async () => {})
    const older = recorder()
    const newer = recorder()
    const closeOlder = bind(older)
    const closeNewer = bind(newer)

    await task.enqueue()
    await task.enqueueMany([undefined, undefined])
    closeNewer()
    await task.enqueue()
    closeOlder()

    expect(newer.calls).toEqual([1, 2])
    expect(older.calls).toEqual([1])
    await expect(task.enqueue()).rejects.toThrow(TaskNotRegisteredError)
  })

  test('apps close in any order', async () => {
    const task = defineTask(async () => {})
    const newer = recorder()
    const closeOlder = bind(recorder())
    const closeNewer = bind(newer)

    closeOlder()
    await task.enqueue()
    closeNewer()

    expect(newer.calls).toEqual([1])
  })
})

function recorder(): Enqueuer & { readonly calls: number[] } {
  const calls: number[] = []
  const handle = {} as JobHandle
  return {
    calls,
    async enqueue() {
      calls.push(1)
      return handle
    },
    async enqueueStream() {
      throw new Error('No stream is asked for.')
    },
    async enqueueMany(_task, payloads) {
      calls.push(payloads.length)
      return []
    },
  }
}
