import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { DashboardRole } from '../../../src/control/access.js'
import type { QueueSummary } from '../../../src/dashboard/api/contract.js'
import { until } from '../../support/until.js'
import { browserPath, look } from './browser.js'
import { openStage, type Stage } from './stage.js'

describe.skipIf(!browserPath)('the pages of queues', { timeout: 120_000 }, () => {
  let stage: Stage
  let page: Page | undefined

  beforeAll(async () => {
    stage = await openStage({
      authorize: (req) => ({
        name: 'ann@example.com',
        role: (req.get('X-Role') ?? 'admin') as DashboardRole,
      }),
    })
  })
  afterAll(() => stage?.close())
  afterEach(async () => {
    await page?.context().close()
    expect(stage.viewer.misdeeds()).toEqual([])
  })

  const visit = async (path: string, role: DashboardRole = 'admin') => {
    page = await stage.viewer.visit(path, { extraHTTPHeaders: { 'X-Role': role } })
    return page
  }
  const row = (on: Page, name: string) =>
    on.getByRole('row').filter({ has: on.getByRole('link', { name, exact: true }) })
  const later = (count: number, tags: readonly string[]) =>
    stage.room.jobs.enqueueMany(
      'mail.send',
      Array.from({ length: count }, (_, at) => ({ to: `${at}@example.com`, subject: 'Later' })),
      { delay: '2h', tags: [...tags] },
    )

  test('the list shows what waits, and the queue that nobody serves first', async () => {
    const on = await visit('queues')
    await row(on, 'mail').getByRole('link', { name: 'mail@one' }).waitFor()
    expect(await row(on, 'video').textContent()).toContain('nobody')
    await on.getByText('no live worker serves it').waitFor()
    await look(on, 'queues')

    await on.getByRole('button', { name: 'Starts' }).click()
    expect(new URL(on.url()).search).toBe('?sort=-started')
  })

  test('a queue is paused where it stands in the list, and goes on', async () => {
    const on = await visit('queues')
    await on.getByRole('button', { name: 'Pause queue billing' }).click()
    await on.getByRole('dialog').getByRole('button', { name: 'Pause' }).click()
    await row(on, 'billing').getByText('paused').waitFor()

    const customer = { id: 9, name: 'Eve' }
    const card = { number: '4000', brand: 'visa' }
    const job = await stage.room.jobs.enqueue('billing.charge', { customer, card, cents: 100 })
    await until(async () => (await stage.room.jobs.status()).queues.some((queue) => queue.isPaused))
    expect((await job.status()).state).toBe('queued')

    // It waits longer than the others now, and takes its place when nobody points at the list.
    const resume = on.getByRole('button', { name: 'Resume queue billing' })
    const first = on.locator('tbody tr').first().getByRole('link').first()
    await resume.hover()
    await stage.room.jobs.enqueueMany('billing.charge', Array(7).fill({ customer, card, cents: 100 }))
    await row(on, 'billing').getByText('8', { exact: true }).waitFor()
    expect(await first.textContent()).toBe('video')
    await on.mouse.move(0, 0)
    await until(async () => (await first.textContent()) === 'billing')

    await resume.click()
    await row(on, 'billing').getByText('paused').waitFor({ state: 'detached' })
    await until(async () => (await job.status()).state === 'succeeded')
  })

  test('of many, those are shown whose name is typed, or that need somebody, and what can be done stays in sight', async () => {
    const on = await visit('system')
    // What it would say is not what is shown.
    await on.route(/\/api\/live\?/, () => {})
    await on.route(/\/api\/queues\?/, async (route) => {
      const response = await route.fetch()
      const answer = (await response.json()) as { queues: QueueSummary[] }
      const [first] = answer.queues
      const more = Array.from({ length: 12 }, (_, at) => ({
        ...first,
        name: `${'of-a-tenant-'.repeat(6)}${at}`,
        ...{ waiting: 1_234_567, oldestMs: 1_000_000, isPaused: false },
        servedBy: at === 7 ? [] : ['a-worker-of-that-tenant@its-own-host'],
      }))
      const queues = [...answer.queues, ...more]
      await route.fulfill({ response, json: { ...answer, queues, total: queues.length } })
    })
    await on.goto(`${stage.room.dashboard}queues`)
    await on.getByLabel('Name').pressSequentially('TENANT')
    await until(async () => (await on.locator('tbody tr').count()) === 12)

    await look(on, 'queues-long')
    for (const width of [1280, 1024]) {
      await on.setViewportSize({ width, height: 900 })
      const button = await on
        .getByRole('button', { name: /^Pause/ })
        .first()
        .boundingBox()
      expect((button?.x ?? width) + (button?.width ?? 0)).toBeLessThan(width)
    }
    await on.getByLabel('Which').selectOption('Those that need somebody')
    await until(async () => (await on.locator('tbody tr').count()) === 1)
    expect(new URL(on.url()).search).toBe('?name=TENANT&needs=somebody')
  })

  test('a queue has a page, with who paused it', async () => {
    await stage.room.jobs.control.pause('reports', { by: 'bob@example.com' })
    const on = await visit('queues/reports?range=15m')
    await on.getByText('It was paused by bob@example.com').waitFor()
    await on.getByRole('heading', { name: 'Over time' }).waitFor()
    await on.getByRole('link', { name: 'reports@two' }).waitFor()
    await on.getByRole('link', { name: 'reports.buildReport' }).waitFor()
    await look(on, 'queue')

    await on.getByRole('button', { name: 'Resume queue reports' }).click()
    await on.getByText('It was paused by').waitFor({ state: 'detached' })
    expect(await on.getByRole('link', { name: 'bull-board', exact: true }).last().getAttribute('href')).toBe(
      'board/queue/reports',
    )
  })

  test('limits are set, hold, and are taken back', async () => {
    const on = await visit('queues/mail')
    const card = on.getByRole('region', { name: 'Limits' })
    await card.getByRole('button', { name: 'Change' }).click()
    const dialog = on.getByRole('dialog')
    await dialog.getByLabel('Starts, at most').fill('often')
    expect(await dialog.getByRole('button', { name: 'Set' }).isDisabled()).toBe(true)
    await dialog.getByLabel('Starts, at most').fill('50/s')
    await dialog.getByLabel('Jobs at once, at most').fill('3')
    await dialog.getByRole('button', { name: 'Set' }).click()
    await card.getByText('50/s').waitFor()
    await card.getByText('by ann@example.com').waitFor()
    expect(await limitOf('mail')).toMatchObject({ rateLimit: '50/s', concurrency: 3 })

    await card.getByRole('button', { name: 'As the code says' }).click()
    await on.getByRole('dialog').getByRole('button', { name: 'Take it back' }).click()
    await card.getByText('50/s').waitFor({ state: 'detached' })
    expect(await limitOf('mail')).toBeUndefined()
  })

  const limitOf = async (name: string) =>
    (await stage.room.jobs.limits.list()).find(({ scope }) => 'queue' in scope && scope.queue === name)

  test('what waits is purged by tag: counted first, and followed', async () => {
    const jobs = await later(7, ['stale'])
    const on = await visit('queues/mail')
    await on.getByRole('button', { name: 'Purge' }).click()
    const dialog = on.getByRole('dialog')
    await dialog.getByLabel('Older than').fill('soon')
    await dialog.getByText('A time, as 30m').waitFor()
    await dialog.getByLabel('Older than').fill('')
    await dialog.getByLabel('Tag').fill('stale')
    await dialog.getByText('7 jobs will be cancelled.').waitFor()
    await look(on, 'queue-purge')
    await dialog.getByRole('button', { name: 'Cancel 7 jobs' }).click()

    await on.getByText('7 cancelled').waitFor()
    expect(new URL(on.url()).searchParams.get('operation')).toMatch(/^[0-9a-f-]{36}$/)
    for (const job of jobs) expect((await job.status()).state).toBe('cancelled')
  })

  test('a whole queue is purged by whoever types its name', async () => {
    const [job] = await later(1, [])
    const on = await visit('queues/mail')
    await on.getByRole('button', { name: 'Purge' }).click()
    const dialog = on.getByRole('dialog')
    const button = dialog.getByRole('button', { name: /^Cancel \d+ jobs?$/ })
    await button.waitFor()
    expect(await button.isDisabled()).toBe(true)
    await dialog.getByLabel('Type mail to cancel all of them').fill('mail')
    await button.click()
    await dialog.waitFor({ state: 'detached' })
    await until(async () => (await job?.status())?.state === 'cancelled')
    const left = await stage.room.jobs.count({ queue: 'mail', state: ['scheduled', 'queued', 'retrying'] })
    expect(left.count).toBe(0)
  })

  test('a viewer looks, and is offered nothing that he may not do', async () => {
    const on = await visit('queues/mail', 'viewer')
    await on.getByRole('region', { name: 'Limits' }).waitFor()
    const names = await on.getByRole('button').allInnerTexts()
    expect(names.filter((name) => /pause|purge|change/i.test(name))).toEqual([])
  })

  test('a queue of any name has a page', async () => {
    const name = '100% a/b?c#d'
    const { jobs } = stage.room
    await jobs.enqueue('mail.send', { to: 'a@example.com', subject: 'x' }, { queue: name, delay: '2h' })
    const on = await visit('queues')
    await on.getByRole('link', { name, exact: true }).click()
    await on.getByRole('heading', { name, exact: true }).waitFor()
    await on.getByText(`npx celeriac worker -Q '${name}'`).waitFor()
  })
})
