import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPrismaStore } from '../../src/store/prisma.js'
import { type OpenStore, openStore } from '../support/store.js'

let opened: OpenStore

beforeAll(async () => {
  opened = await openStore()
  await opened.client.query(
    `INSERT INTO celeriac.job (id, task, queue, state, payload, run_at)
     SELECT gen_random_uuid(), 't', 'q', 'queued', repeat('x', 1000), now() FROM generate_series(1, 3000)`,
  )
  await opened.client.query('VACUUM (ANALYZE) celeriac.job')
})

afterAll(() => opened.close())

describe('of PostgreSQL', () => {
  test('there are version, size, connections and hit rate', async () => {
    const facts = await opened.store.facts()

    expect(facts.version).toMatch(/^\d+\.\d+$/)
    expect(facts.databaseBytes).toBeGreaterThan(5_000_000)
    expect(facts.cacheHitRate).toBeGreaterThan(0.5)
    expect(facts.connections?.most).toBeGreaterThan(100)
    expect(facts.connections?.open).toBeGreaterThanOrEqual(2)
    expect(facts.connections?.byName).toContainEqual({ name: 'celeriac store', open: expect.any(Number) })
    expect(facts.replication).toEqual({ isReplica: false, replicas: [] })
  })

  test('each table is there with its indexes, the largest first', async () => {
    const [job, ...others] = (await opened.store.facts()).tables ?? []

    expect(job).toMatchObject({ name: 'job', rows: 3000, deadRows: 0 })
    expect(job?.bytes).toBeGreaterThan(3_000_000)
    expect(job?.vacuumedAt).toBeInstanceOf(Date)
    expect(job?.indexes.map(({ name }) => name)).toEqual(expect.arrayContaining(['job_pkey', 'job_open']))
    expect(job?.indexes.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(job?.indexBytes)
    expect(others.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['stat', 'worker', 'pass', 'installation']),
    )
  })

  test('a transaction that is left open is told of', async () => {
    const { client, store } = opened
    await client.query('BEGIN; SELECT 1')
    try {
      const { oldestTransaction } = await store.facts()
      expect(oldestTransaction?.ms).toBeGreaterThan(0)
    } finally {
      await client.query('COMMIT')
    }
  })

  test('a table that is being changed is waited for by nobody', async () => {
    const { client, store } = opened
    await client.query('BEGIN; LOCK TABLE celeriac.stat IN ACCESS EXCLUSIVE MODE')
    try {
      const facts = await store.facts()
      expect(facts.tables).toBeNull()
      expect(facts.version).toMatch(/^\d/)
    } finally {
      await client.query('ROLLBACK')
    }
  })

  test('a role without rights on the server is told the rest', async () => {
    const { client, store } = opened
    await client.query(`CREATE ROLE modest_${process.pid} LOGIN; GRANT USAGE ON SCHEMA celeriac TO modest_${process.pid};
      GRANT ALL ON ALL TABLES IN SCHEMA celeriac TO modest_${process.pid}`)
    const url = `postgres://modest_${process.pid}@${client.host}:${client.port}/${client.database}`
    const modest = createPrismaStore({ url, directUrl: url, deadlineMs: 20_000, log: { warn() {} } })
    try {
      const [facts, all] = [await modest.facts(), await store.facts()]
      expect(facts.tables?.length).toBe(all.tables?.length)
      expect(facts.connections?.open).toBeGreaterThanOrEqual(2)
      expect(facts.version).toBe(all.version)
    } finally {
      await modest.close()
      await client.query(`DROP OWNED BY modest_${process.pid}; DROP ROLE modest_${process.pid}`)
    }
  })

  test('an address that serves nobody is an error, within the deadline', async () => {
    const url = 'postgres://postgres:secret@127.0.0.1:1/none'
    const store = createPrismaStore({ url, directUrl: url, deadlineMs: 2000, log: { warn() {} } })
    await expect(store.facts()).rejects.toThrow(/cannot be reached/)
    await store.close()
  })
})
