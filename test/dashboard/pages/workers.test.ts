import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../../support/until.js'
import { browserPath, look } from './browser.js'
import { openStage, type Stage } from './stage.js'

describe.skipIf(!browserPath)('workers', () => {
  let stage: Stage
  /** Of whoever looks. */
  let role: 'admin' | 'operator' | 'viewer' = 'admin'

  beforeAll(async () => {
    stage = await openStage({ authorize: () => ({ name: 'ann@example.com', role }) })
  }, 120_000)

  afterAll(() => stage?.close())

  afterEach(async () => {
    role = 'admin'
    expect(await stage.viewer.leave()).toEqual([])
  })

  const heading = (page: Page, name: string) => page.getByRole('heading', { name, level: 1 })
  const dialog = (page: Page) => page.getByRole('dialog')
  const known = async (name: string) => {
    const all = await stage.room.jobs.inspect.workers()
    return all.filter((worker) => worker.name === name).sort((a, b) => +b.startedAt - +a.startedAt)[0]
  }
  const confirm = (page: Page, verb: string) =>
    dialog(page).getByRole('button', { name: verb, exact: true }).click()

  test('stand in a list that is sorted and narrowed by its address', async () => {
    const page = await stage.viewer.visit('/workers')
    await page.getByText('2 workers', { exact: true }).waitFor()
    await until(async () =>
      (await page.getByRole('row').filter({ hasText: 'mail@one' }).textContent())?.includes('1 / 4'),
    )
    await look(page, 'workers')

    await page.getByRole('button', { name: 'Memory' }).click()
    const sorted = new URL(page.url()).searchParams.get('sort')
    await page.getByRole('button', { name: /^stopped/ }).click()
    await page.getByText('No worker has stopped.').waitFor()

    expect(sorted).toBe('-memory')
    expect(new URL(page.url()).searchParams.get('state')).toBe('stopped')
  }, 60_000)

  test('each has a page that says how it is, and what it is made of', async () => {
    const page = await stage.viewer.visit('/workers')
    await page.getByRole('link', { name: 'mail@one' }).click()

    await heading(page, 'mail@one').waitFor()
    await page.getByText('Jobs at once').waitFor()
    await page.getByRole('link', { name: 'mail.listen', exact: true }).first().waitFor()
    await page.getByText('"preferTypeScript"').waitFor()

    await look(page, 'worker')
  }, 60_000)

  test('the pool grows and shrinks, and the page says so at once', async () => {
    const page = await stage.viewer.visit('/workers/reports%40two')
    await heading(page, 'reports@two').waitFor()

    await page.getByRole('button', { name: 'Grow…' }).click()
    await dialog(page).getByLabel('By how many').fill('3')
    await look(page, 'worker-grow')
    await confirm(page, 'Grow')
    await page.getByText('Runs 5 jobs at once.').waitFor()
    await until(async () => (await known('reports@two'))?.concurrency === 5)
    await page.getByRole('button', { name: 'Shrink…' }).click()
    await confirm(page, 'Shrink')
    await page.getByText('Runs 4 jobs at once.').waitFor()

    await until(async () => (await known('reports@two'))?.concurrency === 4)
    await page.getByText(/^\d \/ 4$/).waitFor()
  }, 90_000)

  test('what a worker refuses stays to be read', async () => {
    const page = await stage.viewer.visit('/workers/reports%40two')

    await page.getByRole('button', { name: 'Shrink…' }).click()
    await dialog(page).getByLabel('By how many').fill('99')
    await confirm(page, 'Shrink')

    await dialog(page).getByText('refused').waitFor()
    await dialog(page)
      .getByText(/cannot shrink by 99: one stays/)
      .waitFor()
    await look(page, 'worker-refused', ['phone'])
  }, 60_000)

  test('it scales itself between two bounds, until that is off', async () => {
    const page = await stage.viewer.visit('/workers/reports%40two')

    await page.getByRole('button', { name: 'Autoscale…' }).click()
    await dialog(page).getByLabel('At least').fill('3')
    await dialog(page).getByLabel('At most').fill('2')
    const isRefused = await dialog(page).getByRole('button', { name: 'Set', exact: true }).isDisabled()
    await dialog(page).getByLabel('At most').fill('7')
    await confirm(page, 'Set')
    await page.getByText('autoscaled, 3 to 7 jobs').waitFor()
    const hasGrow = await page.getByRole('button', { name: 'Grow…' }).isVisible()
    await page.getByRole('button', { name: 'Autoscale…' }).click()
    await dialog(page).getByText('Off: it stays as large as it is').click()
    await confirm(page, 'Set')
    await page.getByRole('button', { name: 'Grow…' }).waitFor()

    expect([isRefused, hasGrow]).toEqual([true, false])
  }, 60_000)

  test('it takes up a queue and lays it down again', async () => {
    const page = await stage.viewer.visit('/workers/reports%40two')

    await page.getByRole('button', { name: 'Add…' }).click()
    await dialog(page).getByLabel('Queue').fill('video')
    await confirm(page, 'Add')
    await page.getByRole('button', { name: 'Remove video' }).waitFor()
    // What waited there runs now.
    await until(async () => (await stage.room.jobs.job(stage.filled.waiting).status()).state === 'succeeded')
    await page.getByRole('button', { name: 'Remove video' }).click()
    await confirm(page, 'Remove')
    await page.getByRole('button', { name: 'Remove video' }).waitFor({ state: 'detached' })

    await until(async () => (await known('reports@two'))?.queues.join() === 'reports,default')
  }, 60_000)

  test('its log says more when asked, and its own configuration holds again after a reset', async () => {
    const page = await stage.viewer.visit('/workers/reports%40two')
    const pick = async (name: string) => {
      await page.getByRole('button', { name: 'More for reports@two' }).click()
      await page.getByRole('menuitem', { name }).click()
    }

    await pick('Log level…')
    await dialog(page).getByLabel('From this level on').selectOption('debug')
    await confirm(page, 'Set')
    await page.getByText('Logs from debug on.').waitFor()
    await until(async () => JSON.parse((await known('reports@two'))?.report ?? '{}').logLevel === 'debug')
    await pick('Reset…')
    await confirm(page, 'Reset')
    await page.getByText(/Runs 2 jobs at once\. Serves reports, default\./).waitFor()

    await until(async () => JSON.parse((await known('reports@two'))?.report ?? '{}').logLevel === 'info')
  }, 60_000)

  test('what runs there is cancelled, with a reason', async () => {
    const other = await stage.room.jobs.enqueue('mail.listen', { mailbox: 'sales@example.com' })
    const page = await stage.viewer.visit('/workers/mail%40one')
    const cancelOf = (id: string) => page.getByRole('button', { name: `Cancel mail.listen ${id}` })

    // Nothing moves while one points at it.
    await cancelOf(other.id).hover()
    await other.cancel()
    const head = page.getByRole('region', { name: 'Running now' }).locator('header')
    await head.getByText('1', { exact: true }).waitFor()
    const isKept = await cancelOf(other.id).isVisible()
    await page.mouse.move(0, 0)
    await cancelOf(other.id).waitFor({ state: 'detached' })

    await cancelOf(stage.filled.running).click()
    await page.getByRole('heading', { name: `mail.listen ${stage.filled.running.slice(-8)}` }).waitFor()
    await dialog(page).getByLabel('Reason').fill('nobody listens')
    await look(page, 'worker-cancel', ['desktop'])
    await confirm(page, 'Cancel the job')
    await page.getByText('1 asked to stop').waitFor()
    await page.mouse.move(0, 0)
    await page.getByText('Nothing runs here right now.').waitFor()

    const { jobs: found } = await stage.room.jobs.search({ id: stage.filled.running })
    expect(isKept).toBe(true)
    expect(found.flatMap(({ state, cancelReason }) => [state, cancelReason])).toEqual([
      'cancelled',
      'nobody listens',
    ])
  }, 60_000)

  test('several are told at once, and one that keeps silent is named', async () => {
    const [, two] = stage.room.workers
    const page = await stage.viewer.visit('/workers')
    await page.getByText('2 workers', { exact: true }).waitFor()
    await page.getByRole('checkbox', { name: 'Select all on this page' }).click()
    await page.getByText('2 selected').first().waitFor()
    await page.reload()
    await page.getByText('2 selected').first().waitFor()

    two?.signal('SIGSTOP')
    try {
      await page.getByRole('button', { name: 'Act on 2 selected' }).click()
      await page.getByRole('menuitem', { name: 'Grow…' }).click()
      await confirm(page, 'Grow')
      await dialog(page).getByText('silent', { exact: true }).waitFor()
      await dialog(page).getByText('Runs 5 jobs at once.').waitFor()
      await look(page, 'workers-silent', ['desktop'])
    } finally {
      two?.signal('SIGCONT')
    }
    await confirm(page, 'Close')

    expect((await known('mail@one'))?.concurrency).toBe(5)
  }, 60_000)

  test('who only looks is offered nothing that changes anything; an operator may not shut down', async () => {
    const offers = async () => {
      const page = await stage.viewer.visit('/workers/mail%40one')
      await page.getByText('"preferTypeScript"').waitFor()
      const names = await page.getByRole('main').getByRole('button').allTextContents()
      const more = page.getByRole('button', { name: 'More for mail@one' })
      if (await more.isVisible()) {
        await more.click()
        await page.getByRole('menuitem').first().waitFor()
        names.push(...(await page.getByRole('menuitem').allTextContents()))
      }
      return names.filter((name) => name.endsWith('…'))
    }

    role = 'viewer'
    const ofViewer = await offers()
    role = 'operator'
    const ofOperator = await offers()

    expect(ofViewer).toEqual([])
    expect(ofOperator).toEqual(expect.arrayContaining(['Grow…', 'Autoscale…', 'Add…', 'Reset…']))
    expect(ofOperator).not.toContain('Shut down…')
  }, 60_000)

  test('one that is shut down says so, and what became of its jobs', async () => {
    const worker = await stage.room.startWorker('-n', 'brief@three', '-c', '1', '-Q', 'nothing')
    const page = await stage.viewer.visit('/workers/brief%40three')
    await heading(page, 'brief@three').waitFor()

    await page.getByRole('button', { name: 'More for brief@three' }).click()
    await page.getByRole('menuitem', { name: 'Shut down…' }).click()
    await dialog(page).getByRole('button', { name: 'At once' }).click()
    await dialog(page).getByText('it runs again elsewhere').waitFor()
    await look(page, 'worker-shutdown')
    await confirm(page, 'Shut down')
    await page.getByText(/This worker has stopped/).waitFor()

    expect(await worker.ended).toBe(0)
    await look(page, 'worker-stopped')
  }, 90_000)

  test('one that was killed is told of as lost', async () => {
    const worker = await stage.room.startWorker('-n', 'doomed@four', '-c', '1', '-Q', 'nothing')
    const page = await stage.viewer.visit('/workers/doomed%40four')
    await heading(page, 'doomed@four').waitFor()

    worker.signal('SIGKILL')
    await page.getByText(/This worker was lost/).waitFor({ timeout: 40_000 })
    await look(page, 'worker-lost')
    await page.goto(new URL('workers?state=lost', stage.room.dashboard).href)
    await page.getByRole('link', { name: 'doomed@four' }).waitFor()
  }, 120_000)

  test('one that nobody remembers is said to be none', async () => {
    const page = await stage.viewer.visit('/workers/nobody')

    await page.getByText('The store remembers no worker "nobody".').waitFor()

    expect(stage.viewer.misdeeds().every((misdeed) => misdeed.includes('404'))).toBe(true)
  })
})
