import { AssertionError } from 'node:assert'
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import { defineTask } from '../../src/task/define.js'
import { createTestJobs, type TestJobs } from '../../src/testing/index.js'

const build = defineTask({
  payload: z.object({
    month: z.string(),
    since: z
      .string()
      .transform((text) => new Date(text))
      .optional(),
  }),
  run: ({ month }) => ({ url: month }),
})
const send = defineTask((_: { to: string; at?: Date }) => true)
const tidy = defineTask(() => 'tidied')
const tasks = { reports: { build }, mail: { send, tidy } }

let jobs: TestJobs
beforeEach(() => {
  jobs = createTestJobs({ tasks })
})
afterEach(() => jobs.close())

function messageOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    expect(error).toBeInstanceOf(AssertionError)
    return (error as Error).message
  }
  throw new Error('It should have thrown.')
}

describe('expectEnqueued', () => {
  test('gives the job that is as expected', async () => {
    const { id } = await build.enqueue({ month: '2026-10' }, { priority: 3, delay: '10s', tags: ['a', 'b'] })

    expect(jobs.expectEnqueued(build).id).toBe(id)
    expect(jobs.expectEnqueued('reports.build', { month: '2026-10' }).id).toBe(id)
    expect(jobs.expectEnqueued(build, ({ month }) => month.startsWith('2026')).id).toBe(id)
    expect(jobs.expectEnqueued(build, { month: expect.stringMatching(/^2026/) }).id).toBe(id)
    expect(jobs.expectEnqueued(build, expect.objectContaining({ month: '2026-10' })).id).toBe(id)
    const job = jobs.expectEnqueued(build, undefined, { times: 1, priority: 3, delay: 10_000, tags: ['b'] })
    expect(job).toMatchObject({ task: 'reports.build', payload: { month: '2026-10' }, state: 'scheduled' })
  })

  test('tells what was enqueued instead', async () => {
    await build.enqueue({ month: '2026-09' })
    await build.enqueue({ month: '2026-11' }, { delay: '5s', queue: 'slow' })

    const message = messageOf(() => jobs.expectEnqueued(build, { month: '2026-10' }))

    expect(
      message,
    ).toBe(`Expected a job of "reports.build" with the payload { month: '2026-10' } to be enqueued. Of this task there are 2:
  reports.build { month: '2026-09' } (queued)
  reports.build { month: '2026-11' } (scheduled, queue "slow", delay 5000 ms)`)
  })

  test('tells of other tasks where there is none of this', async () => {
    expect(messageOf(() => jobs.expectEnqueued(build))).toContain('Nothing was enqueued.')
    await send.enqueue({ to: 'ann' })

    expect(messageOf(() => jobs.expectEnqueued(build))).toContain(
      `Of this task there is none. There is 1 of others:\n  mail.send { to: 'ann' } (queued)`,
    )
  })

  test.each([
    ['a part of the payload', { month: '1', since: '2026-01-01' }, { month: '1' }],
    ['more than the payload', { month: '1' }, { month: '1', since: '2026-01-01' }],
    ['another type', { month: '1' }, { month: 1 }],
  ])('%s is not the payload', async (_, given, expected) => {
    await build.enqueue(given)

    expect(() => jobs.expectEnqueued('reports.build', expected)).toThrow(AssertionError)
  })

  test('a payload is compared as it was kept: dates as text, nothing where it is undefined', async () => {
    const at = new Date(0)
    await send.enqueue({ to: 'ann', at })

    jobs.expectEnqueued('mail.send', { to: 'ann', at: '1970-01-01T00:00:00.000Z' })
    jobs.expectEnqueued(send, { to: 'ann', at })
    await send.enqueue({ to: 'bob' })
    jobs.expectEnqueued('mail.send', { to: 'bob', at: undefined })
  })

  test('counts, where it is asked to', async () => {
    await send.enqueueMany([{ to: 'ann' }, { to: 'ann' }, { to: 'bob' }])

    jobs.expectEnqueued(send, { to: 'ann' }, { times: 2 })
    expect(messageOf(() => jobs.expectEnqueued(send, { to: 'ann' }, { times: 3 }))).toContain(
      'There are 2 like this.',
    )
    expect(() => jobs.expectEnqueued(send, { to: 'bob' }, { owner: 'ann' })).toThrow(AssertionError)
  })

  test('a task that is not of this app is an error of its own', () => {
    expect(() => jobs.expectEnqueued(defineTask(() => 1))).toThrow('not registered')
    expect(() => jobs.expectEnqueued('mail.sned')).toThrow('Did you mean "mail.send"?')
  })
})

describe('expectNotEnqueued', () => {
  test('throws with what was enqueued after all', async () => {
    jobs.expectNotEnqueued()
    await send.enqueue({ to: 'ann' })

    jobs.expectNotEnqueued(build)
    jobs.expectNotEnqueued(send, { to: 'bob' })
    expect(messageOf(() => jobs.expectNotEnqueued())).toBe(
      `Expected that no job was enqueued. There is 1:\n  mail.send { to: 'ann' } (queued)`,
    )
    expect(() => jobs.expectNotEnqueued(send, { to: 'ann' })).toThrow(AssertionError)
  })

  test('clear() begins anew', async () => {
    await send.enqueue({ to: 'ann' })
    jobs.clear()

    jobs.expectNotEnqueued()
    expect(jobs.enqueued()).toEqual([])
    expect(await jobs.drain()).toMatchObject({ succeeded: 0 })
    await send.enqueue({ to: 'bob' })
    expect(await jobs.drain()).toMatchObject({ succeeded: 1 })
  })
})

describe('enqueued', () => {
  test('shows jobs as they stand now, with their payloads as they were given', async () => {
    await build.enqueue({ month: '1' })
    await tidy.enqueue()
    await jobs.drain()

    expect(jobs.enqueued().map(({ task, state }) => `${task} ${state}`)).toEqual([
      'reports.build succeeded',
      'mail.tidy succeeded',
    ])
    expect(jobs.enqueued(build)).toMatchObject([
      { payload: { month: '1' }, result: { url: '1' }, attempt: 1 },
    ])
    expect(jobs.enqueued(tidy)[0]?.payload).toBeUndefined()
  })
})

describe('types', () => {
  test('payload and result are those of the task', () => {
    const never = (_: () => unknown) => {}
    never(() => {
      expectTypeOf(jobs.expectEnqueued(build).payload).toEqualTypeOf<{
        month: string
        since?: string | undefined
      }>()
      expectTypeOf(jobs.expectEnqueued(build).result).toEqualTypeOf<{ url: string } | undefined>()
      expectTypeOf(jobs.enqueued(tidy)[0]?.result).toEqualTypeOf<string | undefined>()
      expectTypeOf(jobs.expectEnqueued('mail.send').payload).toEqualTypeOf<unknown>()
      jobs.expectEnqueued(build, (payload) => payload.month === '1')
      // @ts-expect-error month is a text
      jobs.expectEnqueued(build, { month: 1 })
      // @ts-expect-error no such field
      jobs.expectNotEnqueued(build, { mont: '1' })
      // @ts-expect-error no such option
      jobs.expectEnqueued(build, undefined, { time: 1 })
      // @ts-expect-error no such mode
      createTestJobs({ mode: 'later' })
    })
  })
})
