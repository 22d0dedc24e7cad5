import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { freshDatabase } from '../support/servers.js'
import { copyExample, endProcesses, run } from './example.js'

// Whole processes start here, on machines that may be busy.
vi.setConfig({ testTimeout: 60_000 })

const browserPath = findBrowser()

/** Needs a Chromium on the PATH. */
describe.skipIf(browserPath === undefined)('the page of the shop, in a browser', () => {
  let browser: Browser

  let app: string
  let url: string

  beforeAll(async () => {
    app = copyExample('shop')
    const demo = run(app, 'demo.ts', [], { CELERIAC_DATABASE_URL: await freshDatabase() })
    browser = await launch(browserPath)
    url = await demo.says(/the shop +(http\S+)/)
  })
  afterAll(async () => {
    await browser?.close()
    await endProcesses()
  })

  test('a picture is uploaded, its progress is seen, and its thumbnails appear', async () => {
    const page = await openPage()
    await page.getByText('No picture yet.').waitFor()

    await page.setInputFiles('input[type=file]', join(app, 'samples/harbour.jpg'))

    await page.getByText(/% · making (small|medium|large)/).waitFor()
    await page.getByText(/Done in/).waitFor()
    const widths = await page
      .locator('.thumbnails img')
      .evaluateAll((images) => images.map((image) => Reflect.get(image, 'naturalWidth')))
    expect(widths).toEqual([160, 400, 960])
    expect(await page.getByText('No picture yet.').isVisible()).toBe(false)
  })

  test('a page that is loaded again shows its jobs again, and a refusal is shown as text', async () => {
    const page = await openPage()
    await page.getByRole('button', { name: 'Build a report' }).click()
    await page.getByRole('button', { name: 'Cancel Orders by product' }).click()
    await page.getByText('cancelled', { exact: true }).waitFor()

    await page.reload()
    await page.getByText('cancelled', { exact: true }).waitFor()
    await page.setInputFiles('input[type=file]', join(app, 'celeriac.config.ts'))

    await page.getByText(/A picture is expected/).waitFor()
  })

  test('each attempt of a letter that is refused is shown', async () => {
    const page = await openPage()

    await page.getByRole('button', { name: 'Send mail' }).click()

    await page.getByText('failed: 451 The mail server is busy.').first().waitFor()
    await page.getByText('Delivered to ada@example.com, at attempt').waitFor()
  })

  async function openPage(): Promise<Page> {
    const page = await (await browser.newContext()).newPage()
    await page.goto(url)
    return page
  }
})

function launch(executablePath = ''): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  })
}

function findBrowser(): string | undefined {
  const folders = process.env.PATH?.split(delimiter) ?? []
  return ['chromium', 'chromium-browser', 'google-chrome']
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path))
}
