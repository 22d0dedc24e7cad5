import { accessSync, mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { expect } from 'vitest'
import { until } from '../../support/until.js'

/** Chromium, as `CHROME_PATH` or the machine has it; `undefined`: tests that need one are skipped, which is said once. */
export const browserPath =
  process.env.CHROME_PATH ??
  findOnPath('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')

if (!browserPath)
  console.warn(
    '\nNO BROWSER: the tests of the dashboard in a browser are skipped. Install one: apt-get install chromium, or set CHROME_PATH.\n',
  )

/** Somebody at a browser who looks at one site, and notes what its pages must never do. */
export interface Viewer {
  readonly browser: Browser
  /** Opens an address below the site. */
  visit(path?: string, options?: BrowserContextOptions): Promise<Page>
  /** Errors in the console or in a script, failed loads, dialogs, requests to other hosts, since one asked last. */
  misdeeds(): readonly string[]
  /** Closes all that is open, and gives the misdeeds: after each test. */
  leave(): Promise<readonly string[]>
  close(): Promise<void>
}

/** @param site with a slash at its end, as `Showroom.dashboard` has it */
export async function openViewer(site: string): Promise<Viewer> {
  const browser = await launchBrowser()
  let noted: string[] = []
  const misdeeds = () => {
    const found = noted
    noted = []
    return found
  }
  return {
    browser,
    async visit(path = '', options = {}) {
      const context = await browser.newContext({ viewport: widths.desktop, ...options })
      const page = await context.newPage()
      page.setDefaultTimeout(30_000)
      watch(page, new URL(site).origin, (misdeed) => noted.push(misdeed))
      await page.goto(new URL(path.replace(/^\//, ''), site).href, { waitUntil: 'domcontentloaded' })
      return page
    },
    misdeeds,
    async leave() {
      await Promise.all(browser.contexts().map((context) => context.close()))
      return misdeeds()
    },
    close: () => browser.close(),
  }
}

export function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    ...(browserPath ? { executablePath: browserPath } : {}),
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

/** Notes what a page must never do. Refusals that a test asks for on purpose are its own to take off the list. */
export function watch(page: Page, origin: string, note: (misdeed: string) => void): void {
  page.on('pageerror', (error) => note(`error: ${error.message}`))
  page.on('console', (line) => {
    if (line.type() === 'error') note(`console: ${line.text()} (${line.location().url})`)
  })
  page.on('dialog', (dialog) => {
    note(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('request', (sent) => {
    const url = sent.url()
    if (!url.startsWith(`${origin}/`) && !/^(data|blob):/.test(url)) note(`request: ${url}`)
  })
}

const widths = { desktop: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } } as const
/** Where a table has the least room beside the navigation. */
const narrowest = { width: 1024, height: 768 }
type Width = keyof typeof widths
const themes = ['light', 'dark'] as const

const documented = fileURLToPath(new URL('../../../docs', import.meta.url))
const shown = readFileSync(join(documented, 'dashboard.md'), 'utf8')
const elsewhere = join(tmpdir(), 'celeriac-dashboard')

/** Pictures that docs/dashboard.md shows go there when they are to be made anew; all others where they can be looked at. */
function placeOf(picture: string): string {
  const isDocumented = process.env.UPDATE_SCREENSHOTS && shown.includes(`dashboard/${picture}`)
  return join(isDocumented ? join(documented, 'dashboard') : elsewhere, picture)
}

/**
 * Looks at a page as it stands, in both themes and at both widths: takes a picture of each, lets axe judge it, and sees
 * that nothing is wider than the page, also between the two.
 *
 * @param name of the pictures: `<name>-<width>-<theme>.png`
 * @param at the widths, where it is a matter of one alone
 */
export async function look(
  page: Page,
  name: string,
  at: readonly Width[] = ['desktop', 'phone'],
): Promise<void> {
  mkdirSync(elsewhere, { recursive: true })
  const before = page.viewportSize()
  const found: string[] = []
  for (const width of at) {
    await page.setViewportSize(widths[width])
    for (const colorScheme of themes) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await settle(page)
      const path = placeOf(`${name}-${width}-${colorScheme}.png`)
      await page.screenshot({ path, animations: 'disabled' })
      found.push(...(await faultsOf(page)).map((fault) => `${width} ${colorScheme}: ${fault}`))
    }
  }
  // What there is at one width alone may not outlast another.
  if (at.length > 1) {
    await page.setViewportSize(narrowest)
    await settle(page)
    found.push(...(await tooWide(page)).map((fault) => `between: ${fault}`))
  }
  await page.emulateMedia({ colorScheme: null, reducedMotion: null })
  if (before) await page.setViewportSize(before)
  expect(found).toEqual([])
}

/** Until nothing is on its way, and what is drawn anew for another width or theme has been drawn. */
async function settle(page: Page): Promise<void> {
  await until(async () => (await page.locator('[data-waiting]').count()) === 0, { timeoutMs: 30_000 })
  await page.evaluate('new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))')
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

// These run in the page, which the types of Node know nothing of: so they are texts.
const judge = `axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) =>
  nodes.map(({ target, failureSummary }) => id + ' at ' + target.join(' ') + ': ' + failureSummary)))`
const overhang = 'document.documentElement.scrollWidth - window.innerWidth'

async function faultsOf(page: Page): Promise<string[]> {
  if (!(await page.evaluate<boolean>("'axe' in window"))) await page.evaluate(axe)
  return [...(await page.evaluate<string[]>(judge)), ...(await tooWide(page))]
}

async function tooWide(page: Page): Promise<string[]> {
  const over = await page.evaluate<number>(overhang)
  return over > 0 ? [`${over} px wider than the page`] : []
}

function findOnPath(...names: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter)
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(exists)
}

function exists(file: string): boolean {
  try {
    accessSync(file)
    return true
  } catch {
    return false
  }
}
