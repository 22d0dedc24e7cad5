import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../../support/until.js'
import { browserPath, look } from './browser.js'
import { openStage, type Stage } from './stage.js'

describe.skipIf(!browserPath)('the page of a job', { timeout: 90_000 }, () => {
  let stage: Stage

  beforeAll(async () => {
    stage = await openStage()
  }, 180_000)

  afterAll(() => stage?.close())

  // A page that stays open goes on to ask.
  afterEach(async () => {
    for (const context of stage.viewer.browser.contexts()) await context.close()
  })

  const visit = async (id: string) => {
    const page = await stage.viewer.visit(`/jobs/${id}`)
    await page.getByRole('heading', { name: 'Attempts' }).waitFor()
    return page
  }
  const jobOf = async (id: string) => (await stage.room.jobs.search({ id })).jobs[0]
  const more = async (page: Page, item: RegExp) => {
    await page.getByRole('button', { name: 'More to do' }).click()
    await page.getByRole('menuitem', { name: item }).click()
  }
  const enqueue = async (...args: Parameters<typeof stage.room.jobs.enqueue>) =>
    (await stage.room.jobs.enqueue(...args)).id
  const lastVerb = async () => (await stage.room.jobs.control.commands(1))[0]

  test('looks well in every state', async () => {
    const { filled } = stage
    const page = await visit(filled.succeeded)
    await look(page, 'job-succeeded')
    for (const name of [
      'failed',
      'running',
      'retrying',
      'scheduled',
      'waiting',
      'parent',
      'secret',
    ] as const) {
      await page.goto(`${stage.room.dashboard}jobs/${filled[name]}`)
      await page.getByRole('heading', { name: 'Attempts' }).waitFor()
      await look(page, `job-${name}`)
    }

    expect(stage.viewer.misdeeds()).toEqual([])
  })

  test('says of a job that is gone where it may have gone', async () => {
    const page = await stage.viewer.visit('/jobs/01987a3c-5d1e-7b60-8f11-2c9d6e4ab001')
    await page.getByText('There is no job with this id.').waitFor()
    await page.getByText('retain').waitFor()
    await look(page, 'job-gone')

    const [refused, ...others] = stage.viewer.misdeeds()
    expect(refused).toMatch(/404/)
    expect(others.filter((each) => !/404/.test(each))).toEqual([])
  })

  test('tells what it is waiting for, with the command that helps', async () => {
    const page = await visit(stage.filled.waiting)
    await page.getByText('No live worker serves the queue "video".').waitFor()
    await page.getByText('npx celeriac worker -Q video').waitFor()

    expect(stage.viewer.misdeeds()).toEqual([])
  })

  test('follows a job to its end: state, progress, attempts and log, without a reload', async () => {
    const id = await enqueue('reports.buildReport', { month: '2026-10', pages: 120 }, { delay: '3s' })
    const page = await visit(id)
    await page.getByText('It waits for its time.').waitFor()
    await page.getByRole('progressbar', { name: 'Progress' }).waitFor({ timeout: 40_000 })
    await page
      .getByText(/^page \d+ is laid out/)
      .first()
      .waitFor()
    await page.getByRole('heading', { name: /succeeded/ }).waitFor({ timeout: 60_000 })
    await page.getByLabel('result: content').getByText('/files/2026-10.pdf').waitFor()
    await page.getByText('page 120 is laid out').waitFor()

    await page.getByRole('button', { name: 'warn', exact: true }).click()
    await page.getByText('No line of this level.').waitFor()
    expect(new URL(page.url()).searchParams.get('level')).toBe('warn')
    expect(stage.viewer.misdeeds()).toEqual([])
  })

  test('retries, and what was before stands beside it on the time line', async () => {
    const page = await visit(stage.filled.failed)
    await page.getByRole('button', { name: 'Retry', exact: true }).click()
    await page.getByText('1 begun anew').waitFor()
    await page.getByText('#2').first().waitFor()

    await until(async () => (await jobOf(stage.filled.failed))?.attempt === 2)
    expect(await lastVerb()).toMatchObject({ verb: 'retry', askedBy: 'ann@example.com' })
    expect(stage.viewer.misdeeds()).toEqual([])
  })

  test('retries with another payload, once it is what the task takes', async () => {
    const id = await enqueue('mail.send', { to: 'bob@shop.invalid', subject: 'Hello' }, { attempts: 1 })
    await until(async () => (await jobOf(id))?.state === 'failed', { timeoutMs: 30_000 })
    const page = await visit(id)
    await more(page, /^Retry with another payload/)
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('to', { exact: true }).fill('nobody')
    await dialog.getByRole('button', { name: 'Retry' }).click()
    await dialog.getByText(/email/i).first().waitFor()
    expect((await jobOf(id))?.state).toBe('failed')
    await dialog.getByLabel('to', { exact: true }).fill('bob@example.com')
    await dialog.getByRole('button', { name: 'Retry' }).click()
    await page.getByRole('heading', { name: /succeeded/ }).waitFor({ timeout: 40_000 })

    expect(await jobOf(id)).toMatchObject({
      payload: { to: 'bob@example.com', subject: 'Hello' },
      attempt: 2,
    })
    const misdeeds = stage.viewer.misdeeds()
    expect(misdeeds.filter((each) => !/status of 4\d\d/.test(each))).toEqual([])
  })

  test('enqueues a copy, and goes there', async () => {
    const page = await visit(stage.filled.succeeded)
    await more(page, /^Enqueue a copy/)
    await page
      .getByRole('dialog')
      .getByLabel(/^month/)
      .fill('2026-09')
    await page.getByRole('dialog').getByRole('button', { name: 'Enqueue' }).click()
    await page.waitForURL((url) => !url.pathname.endsWith(stage.filled.succeeded))
    const id = new URL(page.url()).pathname.split('/').at(-1) ?? ''

    expect(await jobOf(id)).toMatchObject({
      ...{ task: 'reports.buildReport', queue: 'reports', tags: ['monthly'], owner: null },
      payload: { month: '2026-09', pages: 2 },
    })
    expect(stage.viewer.misdeeds()).toEqual([])
  })

  test('enqueues a copy that has what it does not show, and never the text that stands for it', async () => {
    const page = await visit(stage.filled.secret)
    await more(page, /^Enqueue a copy/)
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Fields that are hidden keep their value').waitFor()
    await dialog.getByLabel('cents').fill('-1')
    await dialog.getByRole('button', { name: 'Enqueue' }).click()
    await dialog.getByText('Nothing was done. See beside the fields.').waitFor()
    expect(await dialog.getByText(/too small/i).count()).toBe(1)
    await look(page, 'job-copy-refused')
    await dialog.getByLabel('cents').fill('1')
    await dialog.getByRole('button', { name: 'Enqueue' }).click()
    await page.waitForURL((url) => !url.pathname.endsWith(stage.filled.secret))
    const id = new URL(page.url()).pathname.split('/').at(-1) ?? ''

    expect(await stage.room.jobs.control.commands(1)).toMatchObject([
      { verb: 'enqueue', args: expect.stringContaining(stage.filled.secret) },
    ])
    await until(async () => (await jobOf(id))?.state === 'succeeded', { timeoutMs: 30_000 })
    const misdeeds = stage.viewer.misdeeds()
    expect(misdeeds.filter((each) => !/status of 4\d\d/.test(each))).toEqual([])
  })

  test('cancels a running job with a reason, and shows who did', async () => {
    const id = await enqueue('mail.listen', { mailbox: 'sales@example.com' })
    await until(async () => (await jobOf(id))?.state === 'running', { timeoutMs: 30_000 })
    const page = await visit(id)
    await page.getByRole('button', { name: 'Cancel', exact: true }).click()
    await page.getByRole('dialog').getByLabel('Reason').fill('mailbox closed')
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel the job' }).click()
    await page.getByText('Cancelled by ann@example.com').waitFor({ timeout: 40_000 })
    await page.getByText('mailbox closed').waitFor()

    expect(await jobOf(id)).toMatchObject({ state: 'cancelled', cancelReason: 'mailbox closed' })
    expect(stage.viewer.misdeeds()).toEqual([])
  })

  test('moves a waiting job, runs it now, and deletes it', async () => {
    const id = await enqueue('mail.send', { to: 'a@example.com', subject: 'Later' }, { delay: '3h' })
    const page = await visit(id)
    await more(page, /^Queue and priority/)
    await page.getByRole('dialog').getByLabel('Queue').fill('default')
    await page.getByRole('dialog').getByLabel('Priority').fill('3')
    await page.getByRole('dialog').getByRole('button', { name: 'Move the job' }).click()
    await page.getByText('1 moved').waitFor()
    expect(await jobOf(id)).toMatchObject({ queue: 'default', priority: 3, state: 'scheduled' })

    await page.getByRole('button', { name: 'Run now' }).click()
    await page.getByRole('heading', { name: /succeeded/ }).waitFor({ timeout: 40_000 })

    await more(page, /^Delete/)
    await page.getByRole('dialog').getByRole('button', { name: 'Delete the job' }).click()
    await page.getByRole('heading', { name: 'Jobs', exact: true }).waitFor()
    expect(await jobOf(id)).toBeUndefined()
    expect(stage.viewer.misdeeds().filter((each) => !/404/.test(each))).toEqual([])
  })

  test('reveals hidden fields to an admin who says that he wants to see them, which is written down', async () => {
    const page = await visit(stage.filled.secret)
    const payload = page.getByLabel('payload: content')
    await payload.getByText('[redacted]').waitFor()
    await page.getByRole('button', { name: 'Reveal' }).click()
    await page.getByText('The audit notes that you have seen').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Reveal' }).click()
    await payload.getByText('4000 0000 0000 0002').waitFor()
    await page.getByRole('button', { name: 'Hide again' }).click()
    await payload.getByText('[redacted]').waitFor()

    expect(await lastVerb()).toMatchObject({ verb: 'reveal', askedBy: 'ann@example.com' })
    expect(stage.viewer.misdeeds()).toEqual([])
  })

  test('is told as a command, a request and code', async () => {
    const page = await visit(stage.filled.failed)
    await more(page, /^Copy as/)
    const dialog = page.getByRole('dialog')
    await dialog
      .getByLabel('curl: content')
      .getByText(/^curl -X POST http.*\/api\/tasks\/mail\.send\/enqueue/)
      .waitFor()
    await dialog.getByRole('button', { name: 'Command line' }).click()
    await dialog
      .getByLabel('cli: content')
      .getByText(/^npx celeriac call mail\.send/)
      .waitFor()
    await dialog.getByRole('button', { name: 'TypeScript' }).click()
    await dialog
      .getByLabel('typescript: content')
      .getByText(/^await jobs\.enqueue\('mail\.send'/)
      .waitFor()
    await look(page, 'job-call')

    expect(stage.viewer.misdeeds()).toEqual([])
  })

  test('leads to jobs that failed alike, to its parent and its children', async () => {
    const page = await visit(stage.filled.failed)
    await more(page, /^Find such failures/)
    await page.waitForURL(/\/jobs\?/)
    const params = new URL(page.url()).searchParams
    expect([params.get('task'), params.get('query')]).toEqual(['mail.send', 'error.name:MailError'])

    await page.goto(`${stage.room.dashboard}jobs/${stage.filled.parent}`)
    await page.getByRole('heading', { name: 'Parent and children' }).waitFor()
    await page.getByRole('link', { name: 'reports.buildReport' }).first().click()
    await page.getByText('Enqueued by').waitFor()
    await more(page, /^Delete/)
    const id = new URL(page.url()).pathname.slice(-8)
    await page.getByRole('heading', { name: `Delete job ${id}?` }).waitFor()
    await page.goBack()
    await page.getByRole('heading', { name: 'reports.buildYear' }).waitFor()
    expect(await page.getByRole('dialog').count()).toBe(0)
    await page.goForward()
    await page.getByRole('link', { name: 'reports.buildYear' }).click()
    await page.waitForURL(new RegExp(stage.filled.parent))
    expect(stage.viewer.misdeeds()).toEqual([])
  })
})

describe.skipIf(!browserPath)('the page of a job, for a viewer', { timeout: 90_000 }, () => {
  let stage: Stage

  beforeAll(async () => {
    stage = await openStage({
      authorize: () => 'viewer',
      workers: [['-c', '2', '-Q', 'mail,billing,reports,default']],
    })
  }, 180_000)

  afterAll(() => stage?.close())

  test('offers nothing that he may not do', async () => {
    const page = await stage.viewer.visit(`/jobs/${stage.filled.secret}`)
    await page.getByRole('heading', { name: 'Attempts' }).waitFor()
    await page.getByText('fields are hidden').waitFor()
    await page.getByRole('button', { name: 'More to do' }).click()
    await page.getByRole('menuitem').first().waitFor()

    expect(await page.getByRole('menuitem').allTextContents()).toEqual([
      'Copy as curl, command, code …',
      'Find such failures',
    ])
    for (const name of ['Retry', 'Cancel', 'Run now', 'Reveal'])
      expect(await page.getByRole('button', { name, exact: true }).count()).toBe(0)
    await page.goto(`${stage.room.dashboard}jobs?state=failed`)
    await page.getByRole('table').waitFor()
    expect(await page.getByRole('checkbox').count()).toBe(0)
    expect(stage.viewer.misdeeds()).toEqual([])
  })
})
