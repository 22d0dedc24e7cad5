import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { until } from '../support/until.js'
import { browserPath, launchBrowser, watch } from './pages/browser.js'
import { mood, openShop, type Shop, tasks } from './shop.js'

/** Runs where a text is taken for markup, a script or a link. */
const pwn = 'fetch("https://evil.example/");document.title="pwned"'
const hostile = [
  `<img src=x onerror='${pwn}'>`,
  `<script>${pwn}</script>`,
  `"><svg onload='${pwn}'>`,
  `'-(${pwn})-'`,
  `javascript:${pwn}`,
  `</script><script>${pwn}</script>`,
  '<iframe src="https://evil.example/"></iframe>',
  '<base href="https://evil.example/">',
  '<style>@import "https://evil.example/"</style>',
  '{{constructor.constructor("return 1")()}}$t(QUEUE.STATUS.ALL)',
  '\u202egnp.exe',
]

const hostileQueues = ['<img/src=x/onerror=fetch(0)>', '<base/href=//evil.example/>', "'-fetch(0)-'"]

describe.skipIf(!browserPath)('in a browser', () => {
  let browser: Browser
  let shop: Shop
  let page: Page
  /** What a page must never do. */
  let misdeeds: string[]

  beforeAll(async () => {
    ;[browser, shop] = await Promise.all([
      launchBrowser(),
      openShop({
        worker: { queues: ['default', ...hostileQueues, 'a/b?c#d'], name: hostile[0] ?? '' },
      }),
    ])
  })

  afterAll(async () => {
    await Promise.all([browser?.close(), shop?.close()])
  })

  beforeEach(async () => {
    misdeeds = []
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
    watch(page, shop.url, (misdeed) => misdeeds.push(misdeed))
  })

  afterEach(() => page.close())

  test('somebody opens the board, finds the failed job, retries it, and sees it done', async () => {
    mood.isGood = false
    const job = await tasks.mail.moody.enqueue(undefined)
    await until(async () => (await job.status()).state === 'failed')

    await page.goto(`${shop.url}/jobs/dashboard/board/`)
    await page.getByRole('link', { name: 'default', exact: true }).first().click()
    await page.getByRole('link', { name: /^Failed/i }).click()
    await page.getByText(job.id).click()
    await page.getByText('the mail server is in a bad mood').waitFor()
    mood.isGood = true
    await page.locator('button:has(.lucide-refresh-cw)').click()
    // Until it is put back into its queue, the job has ended, and its result is that it failed.
    await Promise.all([
      page.waitForResponse((answer) => answer.url().endsWith(`/${job.id}/retry`)),
      page.getByRole('button', { name: 'Confirm' }).click(),
    ])

    expect(await job.result({ timeout: '15s' })).toBe('sent after all')
    await page.getByText('sent after all').waitFor()
    const [status] = await Promise.all([
      page.waitForEvent('popup'),
      page.getByRole('link', { name: 'Status' }).click(),
    ])
    expect(new URL(status.url()).pathname).toBe(`/jobs/${job.id}`)
    expect(misdeeds).toEqual([])
  })

  test('what the board does not offer is not shown', async () => {
    await tasks.mail.send.enqueue('later', { delay: '1h' })

    await page.goto(`${shop.url}/jobs/dashboard/board/queue/default?status=delayed`)
    await page.locator('.lucide-trash-2').last().waitFor()
    const icons = await page
      .locator('[class*="jobActions-"] svg:visible, [class*="queueActions-"] svg:visible')
      .all()
    await page.locator('button:has(.lucide-ellipsis-vertical):visible').last().click()
    await page.getByRole('menuitem').first().waitFor({ state: 'attached' })

    const shown = await Promise.all(icons.map((icon) => icon.getAttribute('class')))
    expect(shown).toEqual([expect.stringContaining('corner-up-left'), expect.stringContaining('trash')])
    expect(await page.locator('[role="menuitem"]:visible').allTextContents()).toEqual(['Pause'])
  })

  test('nothing that a job brings along runs or is fetched; it is shown as it was typed', async () => {
    const jobs = await Promise.all(
      hostile.map((text, at) =>
        tasks.mail.flaky.enqueue(text, {
          queue: hostileQueues[at % hostileQueues.length] ?? 'default',
          tags: hostile,
          owner: text,
        }),
      ),
    )
    await until(async () =>
      (await Promise.all(jobs.map((job) => job.status()))).every(({ state }) => state === 'failed'),
    )

    await page.goto(`${shop.url}/jobs/dashboard/board/`)
    for (const name of hostileQueues) await page.getByRole('link', { name, exact: true }).first().waitFor()
    for (const name of hostileQueues) {
      await page.goto(`${shop.url}/jobs/dashboard/board/queue/${encodeURIComponent(name)}?status=failed`)
      for (const tab of ['Data', 'Options', 'Error']) {
        const tabs = page.getByRole('tab', { name: tab })
        await tabs.first().waitFor()
        for (const each of await tabs.all()) await each.click()
      }
      for (const text of hostile.filter((_, at) => hostileQueues[at % hostileQueues.length] === name))
        await page.getByText(`Error: ${text}`).first().waitFor()
      expect(await page.title()).toContain('Celeriac')
    }

    expect(misdeeds).toEqual([])
  })

  test('a queue whose name means something in addresses is shown like any other', async () => {
    const queue = 'a/b?c#d'
    const job = await tasks.mail.send.enqueue('ann', { queue })
    await until(async () => (await job.status()).state === 'succeeded')

    await page.goto(`${shop.url}/jobs/dashboard/board/`)
    await page.getByRole('link', { name: queue, exact: true }).first().click()
    await page.getByText(job.id).click()
    await page.getByText('sent to ann').waitFor()

    expect(misdeeds).toEqual([])
  })
})
