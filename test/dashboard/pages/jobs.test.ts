import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../../support/until.js'
import { browserPath, look } from './browser.js'
import { openStage, type Stage } from './stage.js'

describe.skipIf(!browserPath)('the page of jobs', { timeout: 90_000 }, () => {
  let stage: Stage

  beforeAll(async () => {
    stage = await openStage()
  }, 180_000)

  afterAll(() => stage?.close())

  // A page that stays open goes on to ask.
  afterEach(async () => {
    for (const context of stage.viewer.browser.contexts()) await context.close()
  })

  const visit = async (path: string) => {
    const page = await stage.viewer.visit(path)
    await page
      .getByRole('table')
      .or(page.getByText(/^No jobs? match/).first())
      .waitFor()
    return page
  }
  const rows = (page: Page) => page.locator('tbody tr')
  const boxes = (page: Page) => page.getByRole('checkbox', { name: /^Select / })
  const chosen = (page: Page) => page.getByRole('region', { name: 'Chosen jobs' })
  const jobOf = async (id = '') => (await stage.room.jobs.search({ id })).jobs[0]
  const later = (count: number, tag: string) =>
    stage.room.jobs.enqueueMany(
      'mail.send',
      Array.from({ length: count }, (_, at) => ({ to: `${tag}-${at}@example.com`, subject: 'Later' })),
      { delay: '5h', tags: [tag] },
    )
  const counted = async (filter: Parameters<typeof stage.room.jobs.count>[0]) =>
    (await stage.room.jobs.count(filter)).count

  test('looks well with jobs, with some chosen, with none, and with a query that makes no sense', async () => {
    const page = await visit('/jobs')
    await look(page, 'jobs')
    await boxes(page).nth(1).click()
    await look(page, 'jobs-chosen')
    await page.goto(`${stage.room.dashboard}jobs?task=nobody.knows`)
    await page.getByText('No job matches').waitFor()
    await look(page, 'jobs-none')
    await page.goto(`${stage.room.dashboard}jobs?query=stat:failed`)
    await page.getByText('stat:failed', { exact: false }).first().waitFor()
    await look(page, 'jobs-fault')
    await page.getByRole('button', { name: 'How to search' }).click()
    await page.getByRole('dialog').waitFor()
    await look(page, 'jobs-help')

    expect(stage.viewer.misdeeds()).toEqual([])
  })

  test('narrows the list by a state, and the way back leads to all', async () => {
    const page = await visit('/jobs?size=25')
    await page.getByRole('button', { name: /^failed/ }).click()
    await page.waitForURL(/state=failed/)
    await until(async () => (await rows(page).count()) === (await counted({ state: 'failed' })))
    const states = await page.locator('tbody td[data-title="State"]').allTextContents()
    await page.goBack()
    await until(async () => (await rows(page).count()) === 25)

    expect(new Set(states)).toEqual(new Set(['failed']))
    expect(stage.viewer.misdeeds()).toEqual([])
  })

  test('completes a query by keyboard, and finds what it means', async () => {
    const page = await visit('/jobs')
    const box = page.getByRole('combobox', { name: 'Search jobs' })
    await box.click()
    await box.pressSequentially('sta')
    await page.getByRole('option').first().waitFor()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await box.pressSequentially('succ')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Tab')
    await box.pressSequentially('payload.pages:2')
    await page.keyboard.press('Escape')
    await page.keyboard.press('Enter')
    await page.waitForURL(/query=/)
    await until(async () => (await rows(page).count()) === 1)

    expect(await box.inputValue()).toBe('state:succeeded payload.pages:2')
    await page.getByRole('link', { name: 'reports.buildReport' }).waitFor()
    expect(stage.viewer.misdeeds()).toEqual([])
  })

  test('says what is wrong with a query, at its place, and asks nobody', async () => {
    const page = await visit('/jobs')
    const box = page.getByRole('combobox', { name: 'Search jobs' })
    await box.fill('state:failed task:')
    await page.keyboard.press('Enter')

    const alert = page.getByRole('alert')
    await alert.getByText('Expected a value after "task:"').waitFor()
    expect(await alert.locator('mark').textContent()).toBe('task:')
    expect(new URL(page.url()).search).toBe('')
    expect(stage.viewer.misdeeds()).toEqual([])
  })

  test('shows what was listed before for what it was, where the next list is refused', async () => {
    const page = await visit('/jobs?state=failed')
    await page.getByRole('heading', { name: /^\d+ jobs match$/ }).waitFor()

    await page.evaluate("history.pushState(null, '', location.pathname + '?minDuration=soon')")
    await page.getByRole('heading', { name: 'What was listed before' }).waitFor()
    expect(await page.getByRole('link', { name: 'Older' }).count()).toBe(0)
    await page.goBack()
    await page.getByRole('heading', { name: /^\d+ jobs match$/ }).waitFor()

    expect(stage.viewer.misdeeds().filter((each) => !/status of 400/.test(each))).toEqual([])
  })

  test('names what it did not understand of its address, and offers nothing for all that match', async () => {
    const page = await visit('/jobs?state=bogus&range=99y&selected=all')
    const all = page.getByRole('button', { name: 'All that match' })
    await page.getByText('Part of this address was not understood').waitFor()
    await look(page, 'jobs-not-understood')
    expect([await all.count(), await chosen(page).count()]).toEqual([0, 0])
    await page.getByRole('button', { name: 'Leave it out' }).click()
    await all.waitFor()

    expect(new URL(page.url()).searchParams.has('state')).toBe(false)
    expect(stage.viewer.misdeeds()).toEqual([])
  })

  test('leads to the first page where a link leads to none', async () => {
    const page = await stage.viewer.visit('/jobs?task=mail.send&cursor=nonsense')
    await page.getByRole('link', { name: '← Newest' }).click()
    await rows(page).first().waitFor()

    expect(new URL(page.url()).search).toBe('?task=mail.send')
    expect(stage.viewer.misdeeds().filter((each) => !/status of 400/.test(each))).toEqual([])
  })

  test('chooses a range with Shift, and no text with it', async () => {
    const page = await visit('/jobs')
    await boxes(page).nth(1).click()
    await boxes(page)
      .nth(4)
      .click({ modifiers: ['Shift'] })
    await chosen(page).getByText('4 chosen').waitFor()

    expect(await page.evaluate('String(getSelection())')).toBe('')
    expect(stage.viewer.misdeeds()).toEqual([])
  })

  test('goes to older jobs and back, by its own steps and by those of the browser', async () => {
    const page = await visit('/jobs?size=25')
    const first = await rows(page).first().textContent()
    const turned = async (text: string | null) =>
      until(async () => (await rows(page).first().textContent()) !== text)
    await page.getByRole('link', { name: 'Older' }).click()
    await turned(first)
    const second = await rows(page).first().textContent()
    await page.getByRole('link', { name: 'Older' }).click()
    await turned(second)
    await page.goBack()
    await until(async () => (await rows(page).first().textContent()) === second)
    await page.reload()
    await rows(page).first().waitFor()
    await page.getByRole('link', { name: 'Newer' }).click()
    await page.waitForURL((url) => !url.searchParams.has('cursor'))

    expect(stage.viewer.misdeeds()).toEqual([])
  })

  test('moves nothing as its data arrives', async () => {
    const page = await stage.viewer.visit('/queues')
    await page.getByRole('heading', { name: 'Queues' }).waitFor()
    await page.addInitScript(`
      window.shifts = 0
      new PerformanceObserver((list) => {
        for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) window.shifts += value
      }).observe({ type: 'layout-shift', buffered: true })
    `)
    await page.route(/\/api\/jobs\?/, async (route) => {
      await delay(700)
      await route.continue()
    })
    await page.goto(`${stage.room.dashboard}jobs`)
    await page.getByRole('heading', { name: /^\d+ jobs$/ }).waitFor()
    await page.getByRole('button', { name: /^succeeded \d/ }).waitFor()

    expect(await page.evaluate<number>('window.shifts')).toBeLessThan(0.02)
    expect(stage.viewer.misdeeds()).toEqual([])
  })

  test('shows another page from its head on, and on the way back what one had looked at', async () => {
    const page = await visit('/jobs?size=50')
    const scrolled = () => page.evaluate<number>('scrollY')
    const head = () => page.evaluate<number>("document.querySelector('table').getBoundingClientRect().top")
    const older = page.getByRole('link', { name: 'Older' })
    await older.scrollIntoViewIfNeeded()
    const before = await scrolled()
    await older.click()
    await page.waitForURL(/cursor=/)
    await until(async () => (await head()) > 0)
    const top = await head()
    await page.goBack()
    await until(async () => (await scrolled()) > before / 2)

    expect(before).toBeGreaterThan(700)
    expect(top).toBeLessThan(120)
    expect(stage.viewer.misdeeds()).toEqual([])
  })

  test('looks for what is typed once one pauses, as one step that can be gone back', async () => {
    const page = await visit('/jobs')
    const all = await page.getByRole('heading', { name: /^\d+ jobs$/ }).textContent()
    const tag = page.getByLabel('Tag')
    await tag.pressSequentially('month', { delay: 30 })
    await page.waitForURL(/tag=month$/)
    await tag.pressSequentially('ly', { delay: 30 })
    await page.waitForURL(/tag=monthly$/)
    const monthly = await counted({ tag: 'monthly' })
    await until(async () => (await rows(page).count()) === monthly)
    const hasFocus = await tag.evaluate((input) => input.matches(':focus'))
    await page.goBack()
    await page.getByRole('heading', { name: all ?? '', exact: true }).waitFor()

    expect(hasFocus).toBe(true)
    expect(await tag.inputValue()).toBe('')
    expect(stage.viewer.misdeeds()).toEqual([])
  })

  test('does not ask for half of a duration', async () => {
    const page = await visit('/jobs')
    const box = page.getByLabel('Took at least')
    await box.pressSequentially('10', { delay: 30 })
    await delay(700)
    const early = new URL(page.url()).search
    await box.pressSequentially('ms')
    await page.waitForURL(/minDuration=10ms/)

    expect(early).toBe('')
    expect(stage.viewer.misdeeds()).toEqual([])
  })

  test('shows other columns, and says so in its address', async () => {
    const page = await visit('/jobs?state=succeeded')
    await page.getByRole('button', { name: 'Columns' }).click()
    await page.getByRole('menuitemcheckbox', { name: 'Payload' }).click()
    await page.getByRole('menuitemcheckbox', { name: 'Took' }).click()
    await page.keyboard.press('Escape')
    await page.getByRole('columnheader', { name: 'Payload' }).waitFor()

    expect(new URL(page.url()).searchParams.get('columns')?.split(',')).toContain('payload')
    expect(await page.getByRole('columnheader', { name: 'Took' }).count()).toBe(0)
    expect(stage.viewer.misdeeds()).toEqual([])
  })

  test('lets nothing move while one points at the list, and offers what is new', async () => {
    const page = await visit('/jobs?task=media.resize')
    const before = await rows(page).count()
    await rows(page).first().hover()
    const job = await stage.room.jobs.enqueue('media.resize', { file: 'new.png', width: 64 })
    const offer = page.getByRole('button', { name: 'Show 1 new' })
    await offer.waitFor({ timeout: 20_000 })
    const during = await rows(page).count()
    await offer.click()
    await page.getByTitle(job.id).waitFor()
    const after = await rows(page).count()
    await page.mouse.move(0, 0)
    const next = await stage.room.jobs.enqueue('media.resize', { file: 'next.png', width: 64 })
    await page.getByTitle(next.id).waitFor({ timeout: 20_000 })

    expect([during, after]).toEqual([before, before + 1])
    expect(stage.viewer.misdeeds()).toEqual([])
  })

  test('shows at once what one has done oneself, also while one points at the list', async () => {
    await later(60, 'to-see')
    const page = await visit('/jobs?tag=to-see&state=scheduled&size=25')
    await boxes(page).first().click()
    await chosen(page).getByRole('button', { name: 'All that match' }).click()
    await chosen(page).getByRole('button', { name: 'Cancel' }).click()
    await page.getByRole('dialog').getByText('All 60 jobs').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
    await page.mouse.move(700, 600)

    await page.getByText('No jobs match').waitFor()
    expect(stage.viewer.misdeeds()).toEqual([])
  })

  test('retries the chosen jobs', async () => {
    const page = await visit('/jobs?state=failed&task=mail.send')
    const ids = await Promise.all(
      [0, 1].map((at) => rows(page).nth(at).locator('a[title]').first().getAttribute('title')),
    )
    await boxes(page).nth(1).click()
    await boxes(page).nth(2).click()
    await chosen(page).getByRole('button', { name: 'Retry' }).click()
    await page.getByRole('dialog').getByText('2 jobs').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Retry' }).click()
    await page.getByText('2 begun anew').waitFor()

    for (const id of ids)
      await until(async () => {
        const job = await jobOf(id ?? '')
        return job?.attempt === 2 && job.state === 'failed'
      })
    expect(stage.viewer.misdeeds()).toEqual([])
  })

  test('cancels all that match, with a reason, and shows what came of it after a reload', async () => {
    const jobs = await later(60, 'to-cancel')
    const page = await visit('/jobs?tag=to-cancel&size=25')
    await boxes(page).first().click()
    await chosen(page).getByRole('button', { name: 'All that match' }).click()
    await chosen(page).getByRole('button', { name: 'Cancel' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('All 60 jobs').waitFor()
    await dialog.getByLabel('Reason').fill('no longer wanted')
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await page.getByText('60 cancelled').first().waitFor()

    const [first] = jobs
    expect(await counted({ tag: 'to-cancel', state: 'cancelled' })).toBe(60)
    expect(await jobOf(first?.id)).toMatchObject({
      cancelledBy: 'ann@example.com',
      cancelReason: 'no longer wanted',
    })
    const [line] = await stage.room.jobs.control.commands(1)
    await page.goto(`${stage.room.dashboard}jobs?operation=${line?.id}`)
    await page.getByText('Cancel: 60 jobs').waitFor()
    await look(page, 'jobs-operation')
    await page.getByRole('link', { name: 'Show what still matches' }).click()
    await page.getByText('No jobs match').waitFor()
    expect(stage.viewer.misdeeds()).toEqual([])
  })

  test('moves the chosen jobs, makes them due now, and deletes all that match once the word is typed', async () => {
    const [job] = await later(2, 'to-move')
    const page = await visit('/jobs?tag=to-move')
    const all = page.getByRole('checkbox', { name: 'Select all on this page' })
    await all.click()
    await chosen(page).getByRole('button', { name: 'Move' }).click()
    await page.getByRole('dialog').getByLabel('Queue').fill('reports')
    await page.getByRole('dialog').getByLabel('Priority').fill('7')
    await page.getByRole('dialog').getByRole('button', { name: 'Move' }).click()
    await page.getByText('2 moved').waitFor()
    expect(await jobOf(job?.id)).toMatchObject({ queue: 'reports', priority: 7 })

    await all.click()
    await chosen(page).getByRole('button', { name: 'Run now' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Run now' }).click()
    await page.getByText('2 due now').waitFor()
    await until(async () => (await jobOf(job?.id))?.state === 'succeeded')

    await page.getByRole('button', { name: 'All that match' }).click()
    await page.getByRole('menuitem', { name: 'Choose all that match' }).click()
    await chosen(page).getByRole('button', { name: 'Delete' }).click()
    const dialog = page.getByRole('dialog')
    expect(await dialog.getByRole('button', { name: 'Delete' }).isDisabled()).toBe(true)
    await dialog.getByRole('textbox').fill('delete')
    await dialog.getByRole('button', { name: 'Delete' }).click()
    await page.getByText('2 deleted').first().waitFor()
    expect(await jobOf(job?.id)).toBeUndefined()
    expect(stage.viewer.misdeeds()).toEqual([])
  })

  test('saves all that match as a file', async () => {
    const page = await visit('/jobs?state=succeeded&task=mail.send')
    await page.getByRole('button', { name: 'All that match' }).click()
    await page.getByRole('menuitem', { name: 'Export all that match' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'JSON Lines' }).click()
    const coming = page.waitForEvent('download')
    await page.getByRole('dialog').getByRole('button', { name: 'Save as a file' }).click()
    const file = await coming

    expect(file.suggestedFilename()).toMatch(/^jobs-\d{4}-\d\d-\d\d-\d{4}\.jsonl$/)
    const lines = (await readFile(await file.path(), 'utf8')).trim().split('\n')
    expect(lines).toHaveLength(await counted({ state: 'succeeded', task: 'mail.send' }))
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ task: 'mail.send', state: 'succeeded' })
    expect(stage.viewer.misdeeds()).toEqual([])
  })

  test('stops saving a file when told to, and keeps no half of it', async () => {
    await later(2000, 'to-save')
    const page = await visit('/jobs?tag=to-save')
    const downloads: unknown[] = []
    const stopped: string[] = []
    page.on('download', (download) => downloads.push(download))
    page.on('requestfailed', (request) => stopped.push(request.url()))
    await page.getByRole('button', { name: 'All that match' }).click()
    await page.getByRole('menuitem', { name: 'Export all that match' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('2,000 jobs').waitFor()
    const network = await page.context().newCDPSession(page)
    const kB = 1024
    await network.send('Network.emulateNetworkConditions', {
      ...{ offline: false, latency: 0, uploadThroughput: -1, downloadThroughput: 10 * kB },
    })
    await dialog.getByRole('button', { name: 'Save as a file' }).click()
    await dialog.getByRole('progressbar').waitFor()
    await until(async () => Number(await dialog.getByRole('progressbar').getAttribute('aria-valuenow')) > 0)
    await look(page, 'jobs-export', ['phone'])
    await dialog.getByRole('button', { name: 'Stop' }).click()
    await dialog.waitFor({ state: 'detached' })
    await until(() => stopped.some((url) => url.includes('/api/job-export?')))

    expect(downloads).toEqual([])
    expect(stage.viewer.misdeeds()).toEqual([])
  })
})
