import pg from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { EnqueueStreamError, PayloadInvalidError } from '../../src/errors.js'
import type { EnqueuedChunk } from '../../src/job/job.js'
import { defineTask } from '../../src/task/define.js'
import { brokers, closeJobsAfterEach, freshServers, gate, openJobs, type Servers } from '../support/lab.js'
import { rowsOf } from './rows.js'

closeJobsAfterEach()

function* numbers(count: number) {
  for (let n = 1; n <= count; n += 1) yield n
}

async function countJobs(servers: Servers): Promise<number> {
  const [row] = await rowsOf<{ count: number }>(servers, 'SELECT count(*)::int AS count FROM celeriac.job')
  return row?.count ?? Number.NaN
}

async function openSquares(kind: (typeof brokers)[number] = 'postgres', worker = false) {
  const servers = await freshServers(kind)
  const square = defineTask({ payload: z.number(), run: (n) => n * n })
  const jobs = await openJobs({ ...servers, tasks: { math: { square } }, worker, deadline: '20s' })
  return { servers, square, jobs }
}

describe.each(brokers)('on %s', (kind) => {
  test('each payload of a source becomes a job that runs', async () => {
    const { servers, square, jobs } = await openSquares(kind, true)
    const chunks: EnqueuedChunk<number>[] = []

    const enqueued = await square.enqueueMany(numbers(2500), { onChunk: (chunk) => chunks.push(chunk) })

    expect(enqueued).toEqual({ accepted: 2500, created: 2500 })
    expect(await countJobs(servers)).toBe(2500)
    expect(chunks.map(({ accepted }) => accepted)).toEqual([1000, 2000, 2500])
    const handles = chunks.flatMap(({ jobs }) => jobs)
    expect(new Set(handles.map(({ id }) => id)).size).toBe(2500)
    expect(await handles[0]?.result()).toBe(1)
    expect(await jobs.job(handles[2499]?.id ?? '').result()).toBe(2500 * 2500)
  }, 60_000)
})

test('any iterable will do, and one without payloads too', async () => {
  const { square, jobs, servers } = await openSquares()
  async function* slowly() {
    for (const n of [1, 2, 3]) {
      await new Promise(setImmediate)
      yield n
    }
  }

  expect(await square.enqueueMany(slowly())).toEqual({ accepted: 3, created: 3 })
  expect(await square.enqueueMany(new Set([1, 2]))).toEqual({ accepted: 2, created: 2 })
  expect(await square.enqueueMany(numbers(0))).toEqual({ accepted: 0, created: 0 })
  expect(await jobs.enqueueMany('math.square', numbers(2))).toEqual({ accepted: 2, created: 2 })
  expect(await countJobs(servers)).toBe(7)
})

test('a source is asked for no more than two chunks ahead', async () => {
  const { square } = await openSquares()
  const held = gate()
  let given = 0
  function* counted() {
    for (given = 0; given < 10_000; given += 1) yield given
  }
  const seen: number[] = []

  const enqueueing = square.enqueueMany(counted(), {
    onChunk({ accepted }) {
      seen.push(accepted)
      return held.passed
    },
  })
  await expect.poll(() => seen).toEqual([1000])
  await new Promise((resolve) => setTimeout(resolve, 200))

  expect(given).toBe(1999)
  held.open()
  expect(await enqueueing).toMatchObject({ accepted: 10_000 })
})

test('large payloads go in smaller chunks', async () => {
  const servers = await freshServers('postgres')
  const keep = defineTask((text: string) => text.length)
  await openJobs({ ...servers, tasks: { text: { keep } } })
  const sizes: number[] = []
  function* texts() {
    for (let n = 0; n < 10; n += 1) yield 'x'.repeat(700_000)
  }

  await keep.enqueueMany(texts(), { onChunk: ({ jobs }) => sizes.push(jobs.length) })

  expect(sizes).toEqual([3, 3, 3, 1])
})

describe('an error in the middle says how many were accepted', () => {
  async function failureOf(enqueueing: Promise<unknown>): Promise<EnqueueStreamError> {
    const error = await enqueueing.then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(EnqueueStreamError)
    return error as EnqueueStreamError
  }

  test('of a payload that is refused', async () => {
    const { servers, square } = await openSquares()
    function* broken() {
      yield* numbers(2300)
      yield 'two' as unknown as number
      throw new Error('Nobody asks for more.')
    }

    const error = await failureOf(square.enqueueMany(broken()))

    expect(error).toMatchObject({ accepted: 2000, read: 2300, code: 'ENQUEUE_STREAM' })
    expect(error.cause).toBeInstanceOf(PayloadInvalidError)
    expect(error.message).toContain('after 2300 payloads, of which the first 2000 are enqueued')
    expect(await countJobs(servers)).toBe(2000)
  })

  test('of the source', async () => {
    const { servers, square } = await openSquares()
    async function* broken() {
      yield* numbers(1500)
      throw new Error('The cursor is gone.')
    }

    const error = await failureOf(square.enqueueMany(broken()))

    expect(error).toMatchObject({ accepted: 1000, read: 1500, cause: { message: 'The cursor is gone.' } })
    expect(await countJobs(servers)).toBe(1000)
  })

  test('of the look at a chunk, and the source is closed', async () => {
    const { servers, square } = await openSquares()
    let closed = false
    function* source() {
      try {
        yield* numbers(10_000)
      } finally {
        closed = true
      }
    }

    const error = await failureOf(
      square.enqueueMany(source(), {
        onChunk: () => Promise.reject(new Error('Enough.')),
      }),
    )

    expect(error).toMatchObject({ accepted: 1000, cause: { message: 'Enough.' } })
    expect(closed).toBe(true)
    expect(await countJobs(servers)).toBe(1000)
  })

  test('of an option', async () => {
    const { servers, square } = await openSquares()

    await failureOf(square.enqueueMany(numbers(5), { priority: -1 }))
    await expect(
      square.enqueueMany(numbers(5), { idempotencyKey: 'k' } as Parameters<typeof square.enqueueMany>[1]),
    ).rejects.toThrow('for one job')
    await expect(square.enqueueMany('123' as never)).rejects.toThrow('It got a string')
    await expect(square.enqueueMany(null as never)).rejects.toThrow('It got null')
    expect(await countJobs(servers)).toBe(0)
  })
})

test('with tx, all chunks stand or fall with the transaction', async () => {
  const { servers, square } = await openSquares()
  const client = new pg.Client({ connectionString: servers.database })
  await client.connect()
  onTestFinished(() => client.end())

  await client.query('BEGIN')
  expect(await square.enqueueMany(numbers(1500), { tx: client })).toMatchObject({ accepted: 1500 })
  await client.query('ROLLBACK')
  expect(await countJobs(servers)).toBe(0)

  await client.query('BEGIN')
  await square.enqueueMany(numbers(1500), { tx: client })
  await client.query('COMMIT')
  expect(await countJobs(servers)).toBe(1500)
})

test('of a task that keeps its jobs unique, the count tells what was made', async () => {
  const servers = await freshServers('postgres')
  const build = defineTask({ unique: {}, run: (_: number) => 1 })
  await openJobs({ ...servers, tasks: { pages: { build } } })
  function* repeated() {
    for (let n = 0; n < 300; n += 1) yield n % 100
  }

  expect(await build.enqueueMany(repeated())).toEqual({ accepted: 300, created: 100 })
  expect(await countJobs(servers)).toBe(100)
})
