import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../../support/until.js'
import { browserPath, look } from './browser.js'
import { openStage, type Stage } from './stage.js'

describe.skipIf(!browserPath)('the pages of the audit', { timeout: 120_000 }, () => {
  let stage: Stage
  let page: Page | undefined

  beforeAll(async () => {
    stage = await openStage()
  })
  afterAll(() => stage?.close())
  afterEach(async () => {
    await page?.context().close()
    expect(stage.viewer.misdeeds()).toEqual([])
  })

  const visit = async (path: string) => {
    page = await stage.viewer.visit(path)
    return page
  }
  const rows = (on: Page) => on.getByRole('row').filter({ has: on.locator('td') })
  const line = (on: Page, text: string) => rows(on).filter({ hasText: text }).first()

  test('while nobody has done anything, it says what will stand there', async () => {
    const on = await visit('audit')
    await on.getByText('Nobody has done anything yet.').waitFor()
    await on.getByText('npx celeriac control pause mail').waitFor()
  })

  test('who did what is told in sentences, newest first, and filtered', async () => {
    const { jobs } = stage.room
    await jobs.control.pause('billing', { by: 'ann@example.com', from: 'http 10.0.0.7' })
    await jobs.control.rateLimit({ task: 'mail.send' }, '100/s', { by: 'bob@example.com' })
    await jobs.bulk.retry({ state: 'failed', task: 'mail.send' }, { by: 'bob@example.com', from: 'cli' })

    const on = await visit('audit')
    await rows(on).nth(2).waitFor()
    const told = await rows(on).allTextContents()
    expect(told[0]).toMatch(/retried \d+ jobs that match state:failed task:mail.send/)
    expect(told[1]).toContain('set the rate limit of task mail.send to 100/s')
    expect(told[2]).toContain('paused queue billing')
    await look(on, 'audit')

    await on.getByLabel('Who').fill('bob@example.com')
    await on.getByLabel('Who').press('Enter')
    await line(on, 'paused queue billing').waitFor({ state: 'detached' })
    await on.getByLabel('From where').selectOption('cli')
    await line(on, 'set the rate limit').waitFor({ state: 'detached' })
    expect(new URL(on.url()).search).toBe('?by=bob%40example.com&from=cli')

    await on.goBack()
    await line(on, 'set the rate limit').waitFor()
    await on.getByLabel('What').selectOption('pause')
    await on.getByText('Nothing that fits was done.').waitFor()
    await on.getByRole('button', { name: 'Clear' }).click()
    await line(on, 'paused queue billing').waitFor()
  })

  test('a line links to the jobs that it is about', async () => {
    const on = await visit('audit?verb=retry')
    await on.getByRole('link', { name: 'state:failed task:mail.send' }).first().click()
    await on.getByRole('heading', { name: 'Jobs', exact: true }).waitFor()
    expect(new URL(on.url()).searchParams.getAll('task')).toEqual(['mail.send'])
  })

  test('a command says what each worker replied', async () => {
    const { command } = await stage.room.jobs.control.poolGrow(1, {
      workers: 'mail@one',
      by: 'ann@example.com',
    })
    const on = await visit(`audit/${command}`)
    await on.getByRole('heading', { name: 'ann@example.com grew the pool of worker mail@one by 1' }).waitFor()
    await on.getByText('1 replied').waitFor()
    await on.getByRole('table').getByRole('link', { name: 'mail@one' }).waitFor()
    await on.getByText('concurrency: 5, autoscale: none').waitFor()
    await look(on, 'audit-line')
  })

  test('an action on many jobs says how far it is, and is stopped and gone on with', async () => {
    const { jobs } = stage.room
    const many = Array.from({ length: 3000 }, (_, at) => ({ to: `${at}@example.com`, subject: 'Later' }))
    await jobs.enqueueMany('mail.send', many, { delay: '2h', tags: ['many'] })
    const { id } = await jobs.operations.start('cancel', { tag: 'many' }, { by: 'ann@example.com', batch: 1 })

    const on = await visit(`audit/${id}`)
    await on.getByRole('button', { name: 'Stop' }).click()
    await on.getByRole('button', { name: 'Go on' }).waitFor()
    const stopped = await jobs.operations.progress(id)
    expect(stopped?.state).toBe('stopped')
    expect(stopped?.done).toBeLessThan(3000)

    await on.getByRole('button', { name: 'Go on' }).click()
    await until(async () => ((await jobs.operations.progress(id))?.done ?? 0) > (stopped?.done ?? 0))
    await on.getByRole('button', { name: 'Stop' }).click()
    await on.getByRole('button', { name: 'Go on' }).waitFor()
    await on.goto(new URL('audit', stage.room.dashboard).href)
    await on.getByText('went on with an action on many jobs').first().waitFor()
  })

  test('a long list is paged by links', async () => {
    const { jobs } = stage.room
    const pauses = Array.from({ length: 55 }, () =>
      jobs.control.resume('mail', { by: 'carl@example.com', deadline: 50 }),
    )
    await Promise.all(pauses)
    const on = await visit('audit?by=carl%40example.com')
    await rows(on).nth(49).waitFor()
    await on.getByRole('link', { name: /Older/ }).click()
    await rows(on).nth(5).waitFor({ state: 'detached' })
    expect(await rows(on).count()).toBe(5)
    await on.getByRole('link', { name: /Newer/ }).click()
    await rows(on).nth(49).waitFor()
  })

  test('a line that there is not says so', async () => {
    const on = await visit('audit/01a227b2-d64c-74fb-9a7a-5fec95782ebf')
    await on.getByText('Not found').waitFor()
    await on.context().close()
    // The browser notes the answer as an error.
    for (const misdeed of stage.viewer.misdeeds()) expect(misdeed).toContain('status of 404')
  })
})
