import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { DashboardRole } from '../../../src/control/access.js'
import type { TaskSummary } from '../../../src/dashboard/api/contract.js'
import { until } from '../../support/until.js'
import { browserPath, look } from './browser.js'
import { openStage, type Stage } from './stage.js'

const slow = { p50Ms: 104_000, p95Ms: 283_000 }

describe.skipIf(!browserPath)('the pages of tasks', { timeout: 120_000 }, () => {
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
  /** A browser notes refusals as errors: those that a test asks for are no misdeeds. */
  const expectRefusals = async (on: Page, status: number) => {
    await on.context().close()
    const noted = stage.viewer.misdeeds()
    expect(noted.length).toBeGreaterThan(0)
    for (const misdeed of noted) expect(misdeed).toContain(`status of ${status}`)
  }
  const rows = (on: Page) => on.getByRole('row').filter({ has: on.locator('td') })

  test('the list says of each who runs it and how it does, sorted and filtered by its address', async () => {
    const on = await visit('tasks')
    await on.getByRole('link', { name: 'mail.send' }).waitFor()
    expect(await rows(on).first().textContent()).toContain('billing.charge')
    await look(on, 'tasks')

    await on.getByRole('button', { name: 'Starts' }).click()
    expect(await rows(on).first().textContent()).toContain('mail.send')
    await on.getByLabel('Module').selectOption('reports')
    await rows(on).nth(2).waitFor({ state: 'detached' })
    expect(new URL(on.url()).search).toBe('?sort=-started&module=reports')
    await on.getByLabel('Name').pressSequentially('nothing')
    await on.getByText('No task has this in its name.').waitFor()
  })

  test('long names and times make no row higher, and nothing wider than the page', async () => {
    const on = await visit('system')
    // What it would say is not what is shown.
    await on.route(/\/api\/live\?/, () => {})
    await on.route(/\/api\/tasks\?/, async (route) => {
      const response = await route.fetch()
      const answer = (await response.json()) as { tasks: TaskSummary[] }
      const tasks = answer.tasks.map((task, at) => ({
        ...task,
        ...(at === 1 ? { name: `${task.name}${'AndMore'.repeat(12)}`, queue: 'of-a-tenant-'.repeat(6) } : {}),
        rates: { ...task.rates, run: slow, wait: slow },
      }))
      await route.fulfill({ response, json: { ...answer, tasks } })
    })
    await on.goto(`${stage.room.dashboard}tasks`)
    await on.getByRole('link', { name: /AndMore/ }).waitFor()

    await look(on, 'tasks-long')
    const [usual, long] = await rows(on).evaluateAll((all) => all.map((row) => row.clientHeight))
    expect(long).toBe(usual)
    const table = on.locator('div:has(> table)')
    expect(await table.evaluate((frame) => frame.scrollWidth - frame.clientWidth)).toBe(0)
  })

  test('a task has a page: how it does, its failures, its payload and its options', async () => {
    const on = await visit('tasks/mail.send?range=6h')
    await on.getByRole('heading', { name: 'mail.send', exact: true }).waitFor()
    await on.getByText('No mail server for').waitFor()
    await on.getByRole('cell', { name: 'an e-mail address' }).waitFor()
    await on.getByText('1.0 s each time').waitFor()
    await look(on, 'task')

    await on.getByRole('button', { name: 'JSON Schema' }).click()
    await on.getByRole('region', { name: 'JSON Schema' }).waitFor()
    expect(new URL(on.url()).searchParams.get('schema')).toBe('json')
  })

  test('alike failures are found in the list of jobs, and retried together', async () => {
    const { jobs } = stage.room
    const failed = await jobs.count({ task: 'mail.send', state: 'failed' })
    expect(failed.count).toBeGreaterThan(1)
    const on = await visit('tasks/mail.send')
    const group = rows(on).filter({ hasText: 'MailError' })
    const href = await group.getByRole('link', { name: 'all' }).getAttribute('href')
    const link = new URLSearchParams(href?.split('?')[1])
    expect(link.getAll('state')).toEqual(['failed', 'retrying'])
    expect(link.get('query')).toBe('error.name:"MailError" error:"No mail server for" error:"(tried"')

    await group.getByRole('button', { name: 'Retry all' }).click()
    const dialog = on.getByRole('dialog')
    await dialog.getByText(`${failed.count} jobs will be retried.`).waitFor()
    await look(on, 'task-retry')
    await dialog.getByRole('button', { name: `Retry ${failed.count} jobs` }).click()
    await on.getByText(`${failed.count} begun anew`).waitFor()
    const [line] = await jobs.control.commands(1)
    expect(line?.verb).toBe('retry')
    // They fail again: there is no mail server still.
    await until(async () => (await jobs.count({ task: 'mail.send', state: 'failed' })).count === failed.count)
  })

  test('the time limit is set, holds, and is taken back', async () => {
    const on = await visit('tasks/reports.buildReport')
    const card = on.getByRole('region', { name: 'Time limit' })
    await card.getByText('5 min').waitFor()
    await card.getByRole('button', { name: 'Change' }).click()
    const dialog = on.getByRole('dialog')
    expect(await dialog.getByLabel('Soft').inputValue()).toBe('5m')
    await dialog.getByLabel('Soft').fill('30s')
    await dialog.getByLabel('Hard').fill('10s')
    await dialog.getByRole('button', { name: 'Set' }).click()
    await dialog.getByText('at least the soft limit').waitFor()
    await dialog.getByLabel('Hard').fill('1m')
    await dialog.getByRole('button', { name: 'Set' }).click()
    await card.getByText('30 s (the code says 5 min)').waitFor()
    await card.getByText('by ann@example.com').waitFor()

    await card.getByRole('button', { name: 'As the code says' }).click()
    await on.getByRole('dialog').getByRole('button', { name: 'Take it back' }).click()
    await card.getByText('30 s').waitFor({ state: 'detached' })
    await expectRefusals(on, 400)
  })

  test('rate and concurrency are set', async () => {
    const on = await visit('tasks/billing.charge')
    const card = on.getByRole('region', { name: 'Limits' })
    await card.getByRole('button', { name: 'Change' }).click()
    await on.getByLabel('Jobs at once, at most').fill('')
    await on.getByLabel('Starts, at most').fill('30/m')
    await on.getByRole('dialog').getByRole('button', { name: 'Set' }).click()
    await card.getByText('no limit (the code says 4)').waitFor()
    const limits = await stage.room.jobs.limits.list()
    expect(limits.find(({ scope }) => 'task' in scope && scope.task === 'billing.charge')).toMatchObject({
      ...{ rateLimit: '30/m', concurrency: null },
    })
  })

  test('it is run from a form made of its schema, and its result is shown', async () => {
    const on = await visit('tasks/reports.buildReport')
    await on.getByRole('button', { name: 'Run it' }).click()
    const dialog = on.getByRole('dialog')
    await dialog.getByLabel('month').fill('2026-13x')
    await dialog.getByLabel('pages (optional)').fill('2')
    await dialog.getByRole('button', { name: 'Say it' }).click()
    await dialog.getByRole('button', { name: 'Add to recipients' }).click()
    await dialog.getByLabel('recipients 1', { exact: true }).fill('nobody')
    await dialog.getByRole('button', { name: 'Enqueue' }).click()
    // What the task's own schema says, beside the fields.
    await dialog.getByText('A month, as 2026-11').first().waitFor()
    expect(await dialog.getByLabel('month').getAttribute('aria-invalid')).toBe('true')
    expect(await dialog.getByLabel('recipients 1', { exact: true }).getAttribute('aria-invalid')).toBe('true')
    await look(on, 'task-run')

    await dialog.getByLabel('month').fill('2026-11')
    await dialog.getByLabel('recipients 1', { exact: true }).fill('ada@example.com')
    await dialog.getByLabel('format (optional)').selectOption({ label: 'csv' })
    await dialog.getByText('Options', { exact: true }).click()
    await dialog.getByLabel('Tags').fill('by-hand, now')
    await dialog.getByLabel('Owner').fill('customer-7')
    await dialog.getByRole('button', { name: 'Enqueue' }).click()
    await dialog.getByText('The job is enqueued').waitFor()
    const id = (await dialog.getByRole('link').textContent()) ?? ''
    await dialog.getByText('/files/2026-11.pdf').waitFor()
    await look(on, 'task-ran')
    const [job] = (await stage.room.jobs.search({ id })).jobs
    expect(job).toMatchObject({
      payload: { month: '2026-11', pages: 2, format: 'csv', recipients: ['ada@example.com'] },
      ...{ owner: 'customer-7', tags: ['by-hand', 'now'], state: 'succeeded' },
    })
    await expectRefusals(on, 422)
  })

  test('the form and JSON are made of each other', async () => {
    const on = await visit('tasks/billing.charge?run=1')
    const dialog = on.getByRole('dialog')
    await dialog.getByLabel('id').fill('7')
    await dialog.getByLabel('name').fill('Ada')
    await dialog.getByLabel('number').fill('4000')
    await dialog.getByLabel('cents').fill('100')
    await dialog.getByRole('button', { name: 'JSON', exact: true }).click()
    const area = dialog.getByLabel('Payload as JSON')
    expect(JSON.parse(await area.inputValue())).toEqual({
      ...{ customer: { id: 7, name: 'Ada' }, card: { number: '4000' }, cents: 100 },
    })

    await area.fill('{"customer": {"id": 7, "name": "Ada", "vip": true}}')
    await dialog.getByRole('button', { name: 'Form' }).click()
    await dialog.getByText('The form cannot show this payload').waitFor()
    await area.fill('{"customer": {"id": 8, "name": "Bob"}, "card": {"number": "1"}, "cents": 5}')
    await dialog.getByRole('button', { name: 'Form' }).click()
    expect(await dialog.getByLabel('name').inputValue()).toBe('Bob')
  })

  test('a task without a schema is run with JSON, and a viewer cannot', async () => {
    const on = await visit('tasks/media.resize')
    await on.getByText('The task checks no payload.').waitFor()
    await on.getByRole('button', { name: 'Run it' }).click()
    const dialog = on.getByRole('dialog')
    await dialog.getByLabel('Payload as JSON').fill('{"file": "dog.png",')
    await dialog.getByRole('button', { name: 'Enqueue' }).click()
    await dialog.getByText('This is no JSON').first().waitFor()
    await dialog.getByLabel('Payload as JSON').fill('{"file": "dog.png", "width": 5}')
    await dialog.getByRole('button', { name: 'Enqueue' }).click()
    await dialog.getByText('dog.png@5').waitFor()
    await on.context().close()

    const seen = await visit('tasks/media.resize?run=1', 'viewer')
    await seen.getByRole('region', { name: 'Limits' }).waitFor()
    expect(await seen.getByRole('dialog').count()).toBe(0)
    const names = await seen.getByRole('button').allTextContents()
    expect(names.filter((name) => /run it|change|retry/i.test(name))).toEqual([])
  })

  test('a task that there is not says so', async () => {
    const on = await visit('tasks/mail.sned')
    await on.getByText('Not found').waitFor()
    await expectRefusals(on, 404)
  })

  test('tasks that nobody runs are marked, with what that means', async () => {
    for (const worker of stage.room.workers) worker.signal('SIGTERM')
    await until(() => stage.room.workers.every((worker) => /stop/i.test(worker.output())))
    // One of them runs a job that has no end.
    for (const worker of stage.room.workers) worker.signal('SIGTERM')
    await Promise.all(stage.room.workers.map(({ ended }) => ended))
    const on = await visit('tasks')
    await rows(on).getByText('nobody runs it').first().waitFor()
    await on.getByText('its jobs wait until one that has its code starts').waitFor()
    await look(on, 'tasks-unserved')
    await on.getByRole('link', { name: 'mail.send' }).click()
    await on.getByText('No live worker has this task').waitFor()
    await on.getByRole('button', { name: 'Run it' }).click()
    await on.getByRole('dialog').getByText('the job will wait until one does').waitFor()
  })
})
