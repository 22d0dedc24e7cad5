import { PrismaPg } from '@prisma/adapter-pg'
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { CompiledQuery, Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { TransactionError, WorkerLostError } from '../../src/errors.js'
import type { SqlClient, Transaction } from '../../src/job/transaction.js'
import type { Celeriac } from '../../src/plugin.js'
import { PrismaClient } from '../../src/store/generated/prisma/client.js'
import { defineTask, type TaskContext } from '../../src/task/define.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs, type Servers } from '../support/lab.js'
import { freshDatabase } from '../support/servers.js'
import { until } from '../support/until.js'

closeJobsAfterEach()

/** The app's own way to its database: runs `work` in a transaction, which a rejection rolls back. */
type Client = (url: string) => {
  transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T>
  close(): Promise<unknown>
}

const prisma: Client = (url) => {
  const client = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) })
  return { transaction: (work) => client.$transaction(work), close: () => client.$disconnect() }
}

const plain: Client = (url) => {
  const pool = new pg.Pool({ connectionString: url })
  return {
    async transaction(work) {
      const client = await pool.connect()
      try {
        await client.query('BEGIN')
        const done = await work(client)
        await client.query('COMMIT')
        return done
      } catch (error) {
        await client.query('ROLLBACK')
        throw error
      } finally {
        client.release()
      }
    },
    close: () => pool.end(),
  }
}

const kysely: Client = (url) => {
  const db = new Kysely({ dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url }) }) })
  return {
    transaction: (work) =>
      db
        .transaction()
        .execute((trx) =>
          work({ query: (text, values) => trx.executeQuery(CompiledQuery.raw(text, values)) }),
        ),
    close: () => db.destroy(),
  }
}

const drizzleClient: Client = (url) => {
  const pool = new pg.Pool({ connectionString: url })
  const db = drizzle(pool)
  return {
    transaction: (work) =>
      db.transaction((tx) => work({ query: (text, values) => tx.execute(filled(text, values)) })),
    close: () => pool.end(),
  }
}

/** Drizzle takes a statement in pieces, with the values between them. */
function filled(text: string, values: unknown[]) {
  const pieces = text.split(/\$(\d+)/)
  return sql.join(
    pieces.map((piece, at) => (at % 2 === 0 ? sql.raw(piece) : sql.param(values[Number(piece) - 1]))),
  )
}

const clients = { Prisma: prisma, pg: plain, Kysely: kysely, Drizzle: drizzleClient }

function open(client: Client, url: string) {
  const opened = client(url)
  onTestFinished(async () => {
    await opened.close()
  })
  return opened
}

const rollBack = new Error('rolled back')

async function rowsOf(database: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  try {
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

describe.each(brokers)('on %s', (kind) => {
  async function openShop(): Promise<{
    servers: Servers
    jobs: Celeriac
    ran: number[]
    note: ReturnType<typeof noteTask>
  }> {
    const servers = await freshServers(kind)
    const ran: number[] = []
    const note = noteTask(ran)
    const jobs = await openJobs({ ...servers, tasks: { shop: { note } }, worker: { concurrency: 20 } })
    return { servers, jobs, ran, note }
  }

  function noteTask(ran: number[]) {
    return defineTask(async (number: number) => {
      ran.push(number)
    })
  }

  test.each(Object.keys(clients) as (keyof typeof clients)[])(
    'with %s, a job exists if and only if its transaction commits',
    async (name) => {
      const { servers, jobs, ran, note } = await openShop()
      const client = open(clients[name], servers.database)
      let lost = ''

      await client
        .transaction(async (tx) => {
          const job = await note.enqueue(1, { tx })
          lost = job.id
          expect(job.created).toBe(true)
          await expect(job.status()).rejects.toThrow(`No job has the id ${job.id}`)
          throw rollBack
        })
        .catch((error: unknown) => expect(error).toBe(rollBack))
      const kept = await client.transaction((tx) => note.enqueue(2, { tx }))
      const many = await client.transaction((tx) => jobs.enqueueMany(note, [3, 4, 5], { tx, delay: 10 }))

      await Promise.all([kept, ...many].map((job) => job.result()))
      expect(ran.sort()).toEqual([2, 3, 4, 5])
      await expect(jobs.job(lost).status()).rejects.toThrow('No job has')
    },
  )

  test('it starts at the commit, long before a pass would find it', async () => {
    const { servers, note } = await openShop()
    const client = open(plain, servers.database)
    await (await client.transaction((tx) => note.enqueue(0, { tx }))).result()

    for (let number = 1; number <= 5; number += 1) {
      const job = await client.transaction((tx) => note.enqueue(number, { tx }))
      // The passes look for what is two seconds old.
      await job.result({ timeout: 1500 })
    }
  })

  test('of thousands of transactions some roll back: counts agree', async () => {
    const { servers, jobs, ran, note } = await openShop()
    const client = open(plain, servers.database)
    await rowsOf(servers.database, 'CREATE TABLE bought (number int)')
    const all = kind === 'redis' ? 10_000 : 2000
    let next = 0
    let seed = 20261122
    const random = () => {
      seed = (seed * 1103515245 + 12345) % 2 ** 31
      return seed / 2 ** 31
    }

    const buy = async () => {
      while (next < all) {
        next += 1
        const number = next
        await client
          .transaction(async (tx) => {
            await (tx as SqlClient).query('INSERT INTO bought VALUES ($1)', [number])
            await note.enqueue(number, { tx })
            if (random() < 0.3) throw rollBack
          })
          .catch((error: unknown) => expect(error).toBe(rollBack))
      }
    }
    await Promise.all(Array.from({ length: 8 }, buy))

    const bought = (await rowsOf(servers.database, 'SELECT number FROM bought ORDER BY 1')) as {
      number: number
    }[]
    await until(() => ran.length >= bought.length, { timeoutMs: 60_000 })
    expect(ran.toSorted((a, b) => a - b)).toEqual(bought.map(({ number }) => number))
    expect(bought.length).toBeLessThan(all)
    await jobs.close()
    expect(ran).toHaveLength(bought.length)
  }, 120_000)

  test('an idempotency key holds within transactions and between them', async () => {
    const { servers, note } = await openShop()
    const client = open(prisma, servers.database)

    const [first, second] = await client.transaction(async (tx) => [
      await note.enqueue(1, { tx, idempotencyKey: 'once' }),
      await note.enqueue(1, { tx, idempotencyKey: 'once' }),
    ])
    const third = await client.transaction((tx) => note.enqueue(1, { tx, idempotencyKey: 'once' }))

    expect([first?.created, second?.created, third.created]).toEqual([true, false, false])
    expect(new Set([first?.id, second?.id, third.id]).size).toBe(1)
  })

  test('completing in the handler\u2019s own transaction makes its writes and its end one', async () => {
    const servers = await freshServers(kind)
    await rowsOf(servers.database, 'CREATE TABLE paid (job uuid, attempt int)')
    const client = open(prisma, servers.database)
    const pay = defineTask({
      attempts: 5,
      backoff: { type: 'fixed', delay: 1 },
      run: (how: Way, context: TaskContext) => {
        const { id, attempt, complete } = context
        return client
          .transaction(async (tx) => {
            await insertInto(tx, 'INSERT INTO paid VALUES ($1::uuid, $2::int)', id, String(attempt))
            const result = await complete({ tx, result: { attempt } })
            if (how === 'rolls back at first' && attempt < 3) throw rollBack
            return result
          })
          .then((result) => {
            if (how === 'throws after its commit') throw new Error('too late')
            return result
          })
          .catch((error: unknown) => {
            if (how === 'rolls back at first' && attempt === 1) return undefined
            throw error
          })
      },
    })
    const jobs = await openJobs({ ...servers, tasks: { shop: { pay } }, worker: true })

    const plainly = await pay.enqueue('works')
    const late = await pay.enqueue('throws after its commit')
    const again = await pay.enqueue('rolls back at first')

    expect(await plainly.result()).toEqual({ attempt: 1 })
    expect(await late.result()).toEqual({ attempt: 1 })
    expect(await again.result()).toEqual({ attempt: 3 })
    const status = await again.status()
    expect(status.attempts.map(({ error }) => error?.message)).toEqual([
      'complete() was called in a transaction that was not committed.',
      'rolled back',
    ])
    expect(await rowsOf(servers.database, 'SELECT count(*)::int AS count FROM paid')).toEqual([{ count: 3 }])
    await jobs.close()
  })

  test('an attempt that lost its job cannot complete it', async () => {
    const servers = await freshServers(kind)
    const client = open(plain, servers.database)
    const seen: unknown[] = []
    const pay = defineTask(async (_: undefined, { id, complete }: TaskContext) => {
      await rowsOf(servers.database, `UPDATE celeriac.job SET delivery = delivery + 1 WHERE id = '${id}'`)
      await client.transaction((tx) => complete({ tx })).catch((error: unknown) => seen.push(error))
    })
    await openJobs({ ...servers, tasks: { shop: { pay } }, worker: true })

    await pay.enqueue(undefined)

    await until(() => seen.length > 0)
    expect(seen[0]).toBeInstanceOf(WorkerLostError)
  })
})

type Way = 'works' | 'throws after its commit' | 'rolls back at first'

async function insertInto(tx: Transaction, text: string, ...values: string[]): Promise<void> {
  if ('$queryRawUnsafe' in tx) await tx.$queryRawUnsafe(text, ...values)
  else await tx.query(text, values)
}

describe('a transaction that will not do', () => {
  const note = defineTask(async () => {})

  test.each(['Prisma', 'pg'] as const)('%s on a database without our tables is told so', async (name) => {
    await openJobs({ ...(await freshServers('postgres')), tasks: { shop: { note } } })
    const elsewhere = open(clients[name], await freshDatabase())

    const refused = await elsewhere
      .transaction((tx) => note.enqueue(undefined, { tx }))
      .catch((error: unknown) => error)

    expect(refused).toBeInstanceOf(TransactionError)
    expect(refused).toHaveProperty(
      'message',
      expect.stringContaining('is on another database than the store'),
    )
  })

  test('on the database of another installation, it writes nothing', async () => {
    const other = (await freshServers('postgres')).database
    await (await openJobs({ database: other })).close()
    await openJobs({ ...(await freshServers('postgres')), tasks: { shop: { note } } })

    const refused = open(plain, other).transaction(async (tx) => {
      await expect(note.enqueue(undefined, { tx })).rejects.toBeInstanceOf(TransactionError)
    })

    await refused
    expect(await rowsOf(other, 'SELECT id FROM celeriac.job')).toEqual([])
  })

  test.each([42, 'tx', {}, null])('%j is no transaction', async (tx) => {
    await openJobs({ ...(await freshServers('postgres')), tasks: { shop: { note } } })

    await expect(note.enqueue(undefined, { tx: tx as never })).rejects.toThrow(
      '"tx" must be a Prisma client or transaction',
    )
  })

  test('one that has failed gives its own error', async () => {
    const servers = await freshServers('postgres')
    await openJobs({ ...servers, tasks: { shop: { note } } })
    const client = open(plain, servers.database)

    const refused = client.transaction(async (tx) => {
      await (tx as SqlClient).query('SELECT 1 / 0', []).then(undefined, () => {})
      await note.enqueue(undefined, { tx })
    })

    await expect(refused).rejects.toThrow('current transaction is aborted')
  })
})
