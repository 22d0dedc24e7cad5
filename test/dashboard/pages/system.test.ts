import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { freshDatabase, startRedis } from '../../support/servers.js'
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
})
