import { Redis } from 'ioredis'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { freshDatabase, freshRedis, startPostgres, startRedis } from '../../support/servers.js'
import { browserPath, look, openViewer } from './browser.js'
import { openShowroom } from './showroom.js'
import { openStage, type Stage } from './stage.js'

describe.skipIf(!browserPath)('broker and store', () => {
  let stage: Stage

  beforeAll(async () => {
    stage = await openStage({ broker: 'postgres' })
  }, 120_000)

  afterAll(() => stage?.close())

  afterEach(async () => {
    expect(await stage.viewer.leave()).toEqual([])
  })

  test('say what they are, what they take up, and what maintenance did', async () => {
    const page = await stage.viewer.visit('/system')
    await page.getByRole('row').filter({ hasText: 'Finds workers that died' }).waitFor()

    await look(page, 'system')
    await page.getByRole('button', { name: /^All \d+ tables$/ }).click()
    await page.getByRole('button', { name: 'Dead rows' }).click()

    const address = new URL(page.url()).searchParams
    expect([address.get('tables'), address.get('sort')]).toEqual(['all', '-dead'])
    expect(await page.getByRole('table', { name: 'Tables' }).getByRole('row').count()).toBeGreaterThan(15)
  }, 60_000)

  test('say what is wrong with a broker that throws deliveries away, and with one that is down', async () => {
    const redis = await startRedis()
    const room = await openShowroom(
      { database: await freshDatabase(), broker: redis.url },
      { authorize: () => 'viewer', workers: [], onEnd: () => {} },
    )
    const viewer = await openViewer(room.dashboard)
    onTestFinished(async () => {
      await viewer.close()
      await room.close()
      await redis.stop()
    })
    const client = new Redis(redis.url)
    await client.config('SET', 'maxmemory', '50mb')
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru')
    client.disconnect()

    const page = await viewer.visit('/system')
    await page.getByText(/Redis throws deliveries away when it is full/).waitFor()
    await page.getByText(/of 52 MB/).waitFor()
    await look(page, 'system-evicts', ['desktop'])
    await redis.kill()
    await page.getByText('It does not answer.').waitFor({ timeout: 40_000 })
    await page.getByRole('link', { name: 'Overview' }).click()
    await page.getByText(/The broker does not answer: jobs are accepted/).waitFor({ timeout: 40_000 })

    expect(viewer.misdeeds()).toEqual([])
  }, 180_000)

  test('a store that is down is told of beside what was seen last, and seen again when it is back', async () => {
    const postgres = await startPostgres()
    const room = await openShowroom(
      { database: postgres.url, broker: await freshRedis() },
      { authorize: () => 'viewer', workers: [], onEnd: () => {} },
    )
    const viewer = await openViewer(room.dashboard)
    onTestFinished(async () => {
      await viewer.close()
      await room.close()
      await postgres.stop()
    })
    await room.jobs.enqueue('mail.send', { to: 'ada@example.com', subject: 'Later' }, { delay: '3h' })

    const page = await viewer.visit('/')
    await page.getByRole('link', { name: 'scheduled 1' }).waitFor()
    await postgres.kill()
    await page.getByText('The store does not answer.').waitFor({ timeout: 40_000 })
    await page.getByText('Down', { exact: true }).first().waitFor()
    expect(await page.getByText('Nothing needs you').count()).toBe(0)
    expect(await page.getByRole('link', { name: 'scheduled 1' }).isVisible()).toBe(true)
    await look(page, 'store-down')

    await page.getByRole('link', { name: 'Jobs', exact: true }).first().click()
    await page.getByText('The store does not answer.').waitFor()
    await page.getByRole('link', { name: 'Broker and store' }).click()
    await page.getByText('It does not answer.').waitFor()
    await look(page, 'system-store-down', ['desktop'])
    await page.goBack()
    await postgres.start()
    await page.getByRole('link', { name: 'mail.send' }).first().waitFor({ timeout: 60_000 })
    await page.getByText('The store does not answer.').waitFor({ state: 'detached' })
    await page.getByText('Live', { exact: true }).first().waitFor({ timeout: 40_000 })

    expect(viewer.misdeeds().filter((misdeed) => !misdeed.includes('status of 503'))).toEqual([])
  }, 180_000)

  test('say which part of maintenance nobody does', async () => {
    const database = await freshDatabase()
    const room = await openShowroom({ database }, { authorize: () => 'viewer', workers: [], onEnd: () => {} })
    const viewer = await openViewer(room.dashboard)
    const client = new pg.Client({ connectionString: database })
    onTestFinished(async () => {
      await viewer.close()
      await room.close()
      await client.end()
    })
    await client.connect()
    const page = await viewer.visit('/system')
    const row = page.getByRole('row').filter({ hasText: 'Finds workers that died' })
    await row.waitFor()
    expect(await row.getByText('overdue').count()).toBe(0)

    // No process can say any longer that it does this pass.
    await client.query(`BEGIN;
      UPDATE celeriac.pass SET ran_at = now() - interval '2 hours' WHERE name = 'lost';
      CREATE FUNCTION stand_still() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      CREATE TRIGGER still BEFORE UPDATE ON celeriac.pass FOR EACH ROW WHEN (OLD.name = 'lost')
        EXECUTE FUNCTION stand_still();
      COMMIT`)
    await row.getByText('overdue').waitFor()

    await look(page, 'system-overdue')
    expect(viewer.misdeeds()).toEqual([])
  }, 60_000)
})
