import type { Page, Request } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { freshServers } from '../../support/lab.js'
import { until } from '../../support/until.js'
import { browserPath, look, openViewer } from './browser.js'
import { openShowroom } from './showroom.js'
import { openStage, type Stage } from './stage.js'

describe.skipIf(!browserPath)('around the pages', () => {
  let stage: Stage
  /** Whether whoever looks may do so. */
  let isAdmitted = true

  beforeAll(async () => {
    stage = await openStage({
      authorize: () => isAdmitted && { name: 'ann@example.com', role: 'admin' },
    })
  }, 120_000)

  afterAll(() => stage?.close())

  afterEach(async () => {
    expect(await stage.viewer.leave()).toEqual([])
  })

  const heading = (page: Page, name: string) => page.getByRole('heading', { name, level: 1 })
  const pathOf = (page: Page) => page.url().slice(stage.room.dashboard.length - 1)
  const focused = (page: Page) => page.evaluate<string>('document.activeElement.textContent')

  test('the front page says what needs somebody, first, and leads to it', async () => {
    const page = await stage.viewer.visit('/')
    await page.getByText('Jobs wait in queue "video", and no live worker serves it.').waitFor()
    await page.getByRole('link', { name: 'mail@one', exact: true }).waitFor()

    await look(page, 'overview')
    await page.getByRole('link', { name: 'The queue', exact: true }).click()

    await heading(page, 'video').waitFor()
    expect(pathOf(page)).toBe('/queues/video')
  }, 90_000)

  test('a figure leads to the jobs that it counts, and the way back to the figure', async () => {
    const page = await stage.viewer.visit('/?range=24h')

    await page.getByRole('link', { name: /^Failed/ }).click()
    await heading(page, 'Jobs').waitFor()
    const address = pathOf(page)
    await page.goBack()
    await heading(page, 'Overview').waitFor()

    expect(address).toBe('/jobs?state=failed&range=24h')
    expect(pathOf(page)).toBe('/?range=24h')
  })

  test('how far back one looks is kept from page to page', async () => {
    const page = await stage.viewer.visit('/?range=24h')
    const menu = page.getByRole('navigation', { name: 'Pages' })
    await menu.getByRole('link', { name: 'Queues' }).click()
    await heading(page, 'Queues').waitFor()
    const queues = pathOf(page)
    await menu.getByRole('link', { name: 'Jobs' }).click()
    await heading(page, 'Jobs').waitFor()

    expect(queues).toBe('/queues?range=24h')
    expect(pathOf(page)).toBe('/jobs')
  })

  test('what happens is seen without a reload', async () => {
    const page = await stage.viewer.visit('/')
    const scheduled = page.getByRole('link', { name: /^scheduled/ })
    const before = Number((await scheduled.textContent())?.replace(/\D/g, ''))

    await stage.room.jobs.enqueue('mail.send', { to: 'ada@example.com', subject: 'Later' }, { delay: '3h' })

    await page.getByRole('link', { name: `scheduled ${before + 1}` }).waitFor()
  })

  test('nothing is asked while nobody looks', async () => {
    const page = await stage.viewer.visit('/')
    await page.getByRole('link', { name: /^scheduled/ }).waitFor()
    await page.getByText('Live', { exact: true }).first().waitFor()
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))

    await page.evaluate(hide(true))
    await page.getByText('Paused').first().waitFor()
    await page.waitForTimeout(6000)
    const whileHidden = [...asked]
    await page.evaluate(hide(false))
    await page.getByText('Live', { exact: true }).first().waitFor()

    expect(whileHidden).toEqual([])
    expect(asked.some((url) => url.includes('/api/overview'))).toBe(true)
  }, 30_000)

  test('what takes a search is asked as soon as somebody looks, where a tab was opened behind another', async () => {
    const page = await stage.viewer.visit('/')
    await page.addInitScript(hide(true))
    await page.goto(new URL('jobs?query=state:failed+"No+mail+server"', stage.room.dashboard).href)
    await heading(page, 'Jobs').waitFor()

    await page.evaluate(hide(false))

    await page.getByRole('link', { name: 'mail.send' }).first().waitFor()
  })

  test('a slash leads anywhere: to a task, to a job by its id, to the jobs that match', async () => {
    const page = await stage.viewer.visit('/')
    const find = async (text: string) => {
      await page.keyboard.press('/')
      await page.keyboard.type(text)
    }
    await heading(page, 'Overview').waitFor()

    await find('buildRep')
    await page.getByRole('option', { name: 'Task reports.buildReport' }).waitFor()
    await page.keyboard.press('Enter')
    await heading(page, 'reports.buildReport').waitFor()
    await find(stage.filled.succeeded)
    await page.keyboard.press('Enter')
    await until(() => pathOf(page) === `/jobs/${stage.filled.succeeded}`)
    // The field that one was found by has gone by then, and the next slash opens it anew.
    await page.getByRole('heading', { name: 'Attempts' }).waitFor()
    await find(stage.filled.parent.slice(-8))
    await page.keyboard.press('Enter')
    await heading(page, 'Jobs').waitFor()
    await page.getByRole('link', { name: /^reports\.buildYear/ }).waitFor()
    await find('state:failed "No mail server"')
    await page.keyboard.press('Enter')
    await page.waitForURL(/No\+mail/)

    expect(new URL(page.url()).searchParams.get('query')).toBe('state:failed "No mail server"')
  })

  test('what is found is picked by keys, and Escape leaves it', async () => {
    const page = await stage.viewer.visit('/')
    await heading(page, 'Overview').waitFor()

    await page.keyboard.press('/')
    await page.keyboard.type('mail')
    await page.getByRole('option', { name: 'Queue mail', exact: true }).waitFor()
    await page.keyboard.press('ArrowDown')
    const picked = await page.locator('[role=option][aria-selected=true]').textContent()
    await look(page, 'find', ['desktop'])
    await page.keyboard.press('Escape')
    await page.keyboard.press('Escape')

    expect(picked).toMatch(/^Taskmail\./)
    expect(await page.getByRole('option').count()).toBe(0)
    expect(await page.evaluate('document.activeElement.tagName')).toBe('BODY')
  }, 60_000)

  test('a step to another page begins at its heading, and its tab has its name', async () => {
    const page = await stage.viewer.visit('/')

    await page.getByRole('link', { name: 'Workers', exact: true }).first().click()
    await heading(page, 'Workers').waitFor()

    await until(async () => (await focused(page)) === 'Workers')
    expect(await page.title()).toBe('Workers · Celeriac')
    expect(await page.locator('[aria-current=page]').textContent()).toBe('Workers')
  })

  test('by keyboard one skips what is on every page', async () => {
    const page = await stage.viewer.visit('/workers')
    await heading(page, 'Workers').waitFor()

    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')

    expect(await page.evaluate('document.activeElement.id')).toBe('page')
  })

  test('on a phone the menu is a sheet that keeps the focus, and gives it back', async () => {
    const page = await stage.viewer.visit('/workers', {
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
    })
    const menu = page.getByRole('button', { name: 'Menu' })
    await menu.click()
    await page.getByRole('dialog', { name: 'Menu' }).waitFor()
    await look(page, 'menu', ['phone'])

    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    const focusedAfter = await page.evaluate('document.activeElement.getAttribute("aria-label")')
    await menu.click()
    await page.getByRole('link', { name: 'Queues' }).click()
    await heading(page, 'Queues').waitFor()
    for (const text of ['nobody knows', 'nobody knows it', 'nobody knows it']) {
      await page.getByRole('button', { name: 'Find' }).click()
      await page.getByRole('dialog').getByRole('combobox').fill(text)
      await page.keyboard.press('Enter')
      await until(() => new URL(page.url()).searchParams.get('query') === text)
      await page.getByRole('dialog').waitFor({ state: 'hidden' })
    }

    expect(focusedAfter).toBe('Menu')
    expect(await page.getByRole('dialog').count()).toBe(0)
  }, 60_000)

  test('what one likes is kept: theme and times', async () => {
    const page = await stage.viewer.visit('/workers')
    await page.getByRole('button', { name: 'Dark' }).click()
    await page.getByRole('button', { name: '14:03:07' }).click()

    await page.reload()
    await heading(page, 'Workers').waitFor()

    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark')
    expect(await page.locator('time').first().textContent()).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)
  })

  test('who may no longer look is told so where the pages were, and sees them again as soon as he may', async () => {
    const page = await stage.viewer.visit('/')
    await heading(page, 'Overview').waitFor()

    isAdmitted = false
    await page.evaluate(hide(true))
    await page.evaluate(hide(false))
    await heading(page, 'You may no longer see this dashboard').waitFor()
    await page.getByRole('button', { name: 'Try again' }).waitFor()
    isAdmitted = true
    await heading(page, 'Overview').waitFor({ timeout: 20_000 })

    expect(stage.viewer.misdeeds().every((misdeed) => misdeed.includes('403 (Forbidden)'))).toBe(true)
  }, 40_000)

  test('whose session has ended is asked to log in again', async () => {
    const page = await stage.viewer.visit('/workers')
    await heading(page, 'Workers').waitFor()

    const refusal = { status: 401, code: 'LOGIN_REQUIRED', detail: 'Log in first.' }
    await page.route('**/api/me', (route) => route.fulfill({ status: 401, json: refusal }))
    await page.evaluate(hide(true))
    await page.evaluate(hide(false))
    await heading(page, 'Your session has ended').waitFor()
    await look(page, 'session', ['phone'])
    await Promise.all([page.waitForEvent('load'), page.getByRole('button', { name: 'Log in' }).click()])
    await heading(page, 'Your session has ended').waitFor()
    await page.unroute('**/api/me')
    await page.evaluate(hide(true))
    await page.evaluate(hide(false))
    await heading(page, 'Workers').waitFor()

    expect(stage.viewer.misdeeds().every((misdeed) => misdeed.includes('401'))).toBe(true)
  }, 40_000)

  test('whichever page comes first, less than 200 kB are loaded for it, compressed', async () => {
    const { succeeded } = stage.filled
    const weights: [path: string, kB: number][] = []
    const paths = ['', 'jobs', `jobs/${succeeded}`, 'tasks', 'tasks/mail.send', 'queues', 'queues/mail']
    for (const path of [...paths, 'workers', 'workers/mail%40one', 'system', 'audit']) {
      const context = await stage.viewer.browser.newContext()
      const page = await context.newPage()
      const loaded: Request[] = []
      page.on('requestfinished', (request) => loaded.push(request))
      await page.goto(new URL(path, stage.room.dashboard).href)
      await page.getByRole('heading', { level: 1 }).waitFor()
      await until(async () => (await page.locator('[data-waiting]').count()) === 0)
      const files = loaded.filter((request) => !request.url().includes('/api/'))
      const sizes = await Promise.all(files.map((request) => request.sizes()))
      weights.push([path, sizes.reduce((sum, { responseBodySize }) => sum + responseBodySize, 0) / 1000])
      await context.close()
    }
    console.log(`First load, kB: ${weights.map(([path, kB]) => `/${path} ${Math.round(kB)}`).join(', ')}`)

    expect(weights.filter(([, kB]) => kB >= 200 || kB < 50)).toEqual([])
  }, 90_000)

  test('an app that sends everybody to its login is not taken for an answer', async () => {
    const page = await stage.viewer.visit('/workers')
    await heading(page, 'Workers').waitFor()

    const login = { contentType: 'text/html', headers: { ETag: '"login"' }, body: '<h1>Log in</h1>' }
    await page.route('**/api/**', (route) => route.fulfill(login))
    await page.evaluate(hide(true))
    await page.evaluate(hide(false))
    await heading(page, 'Your session has ended').waitFor()

    // The stream hears of it, too.
    expect(stage.viewer.misdeeds().every((misdeed) => misdeed.includes('text/event-stream'))).toBe(true)
  })

  test('what a proxy answers for an app that starts anew is an outage, told once', async () => {
    const page = await stage.viewer.visit('/workers')
    await page.getByText('mail@one', { exact: true }).waitFor()

    await page.route('**/api/**', (route) => route.fulfill({ status: 502, body: 'Bad Gateway' }))
    await page.evaluate(hide(true))
    await page.evaluate(hide(false))
    await page.getByText('The server answered 502.').waitFor()
    expect(await page.getByText('The server answered 502.').count()).toBe(1)
    expect(await page.getByText('mail@one', { exact: true }).isVisible()).toBe(true)
    await page.unroute('**/api/**')
    await page.getByText('The server answered 502.').waitFor({ state: 'detached', timeout: 40_000 })

    expect(stage.viewer.misdeeds().every((misdeed) => misdeed.includes('502'))).toBe(true)
  }, 60_000)

  test('a server that takes requests and answers none is told of', async () => {
    const page = await stage.viewer.visit('/workers')
    await page.getByText('mail@one', { exact: true }).waitFor()

    await page.route('**/api/**', () => {})
    await page.evaluate(hide(true))
    await page.evaluate(hide(false))
    await page.getByText('Offline', { exact: true }).first().waitFor({ timeout: 30_000 })
    expect(await page.getByText('mail@one', { exact: true }).isVisible()).toBe(true)
  }, 60_000)

  test('a page that one comes back to twice goes on being live', async () => {
    const page = await stage.viewer.visit('/queues')
    await page.clock.install()
    const seconds = (count: number) => page.clock.runFor(count * 1000)
    const go = async (name: string) => {
      await page.getByRole('link', { name, exact: true }).first().click()
      await heading(page, name).waitFor()
    }
    // Left at 0 and at 30 s, come back to at 15 and at 70 s: what was to be forgotten at 90 s is another by then.
    await go('Tasks')
    await seconds(15)
    await go('Queues')
    await seconds(15)
    await go('Tasks')
    await seconds(40)
    await go('Queues')
    await seconds(25)

    await stage.room.jobs.control.pause('reports', { by: 'ann@example.com' })
    await page.clock.resume()
    const reports = page.getByRole('row').filter({ hasText: 'reports' })
    await reports.getByRole('button', { name: 'Resume' }).waitFor()
    await stage.room.jobs.control.resume('reports', { by: 'ann@example.com' })
  }, 60_000)

  test('on a phone all that is pressed is large enough for a finger', async () => {
    for (const path of ['/', '/workers', '/workers/mail%40one', '/system']) {
      const page = await stage.viewer.visit(path, {
        viewport: { width: 390, height: 844 },
        hasTouch: true,
        isMobile: true,
      })
      await until(async () => (await page.locator('[data-waiting]').count()) === 0)

      const small = await page.locator('button:visible, summary:visible').evaluateAll((all) =>
        all
          // What is above the page is for keyboards.
          .filter((each) => each.getBoundingClientRect().bottom > 0)
          .filter((each) => each.getBoundingClientRect().height < 38)
          .map((each) => each.textContent),
      )
      expect([path, small]).toEqual([path, []])
    }
  }, 60_000)

  test('a page that breaks says what happened, and the rest goes on', async () => {
    const page = await stage.viewer.visit('/workers')
    await heading(page, 'Workers').waitFor()

    await page.route('**/api/overview?*', (route) => route.fulfill({ json: { attention: 7 } }))
    await page.getByRole('link', { name: 'Overview' }).click()
    await heading(page, 'This page broke').waitFor()
    await look(page, 'broken')
    await page.getByRole('link', { name: 'Workers', exact: true }).first().click()
    await heading(page, 'Workers').waitFor()

    // React tells the console of what it has caught.
    expect(stage.viewer.misdeeds().every((misdeed) => misdeed.startsWith('console: '))).toBe(true)
  }, 60_000)

  test('a page whose files have gone with a new version says to load it again', async () => {
    const page = await stage.viewer.visit('/workers')
    await heading(page, 'Workers').waitFor()

    await page.route('**/assets/system-page*', (route) => route.fulfill({ status: 404 }))
    await page.getByRole('link', { name: 'Broker and store' }).click()

    await heading(page, 'A part of this page is missing').waitFor()
    expect(stage.viewer.misdeeds()).not.toEqual([])
  })

  test('a server that has gone is told of, and what was seen stays', async () => {
    const page = await stage.viewer.visit('/workers')
    await page.getByText('mail@one', { exact: true }).waitFor()

    await page.context().setOffline(true)
    await page.getByText('Offline', { exact: true }).first().waitFor({ timeout: 20_000 })
    const isKept = await page.getByText('mail@one', { exact: true }).isVisible()
    await page.context().setOffline(false)
    await page.getByText('Offline', { exact: true }).first().waitFor({ state: 'hidden', timeout: 20_000 })

    expect(isKept).toBe(true)
    expect(stage.viewer.misdeeds().every((misdeed) => misdeed.includes('ERR_INTERNET_DISCONNECTED'))).toBe(
      true,
    )
  }, 60_000)
})

describe.skipIf(!browserPath)('where nothing has ever happened', () => {
  test('the front page says how to begin', async () => {
    const ends: (() => void)[] = []
    const room = await openShowroom(await freshServers('redis'), {
      authorize: () => 'admin',
      workers: [],
      onEnd: (end) => ends.push(end),
    })
    const viewer = await openViewer(room.dashboard)
    try {
      const page = await viewer.visit('/')
      await page.getByRole('heading', { name: 'No job yet' }).waitFor()
      await page.getByText('npx celeriac worker').first().waitFor()

      await look(page, 'first-steps')

      expect(viewer.misdeeds()).toEqual([])
    } finally {
      await viewer.close()
      for (const end of ends) end()
      await room.close()
    }
  }, 120_000)
})

/** As a browser does when another tab comes to the front. */
function hide(isHidden: boolean): string {
  return `Object.defineProperty(document, 'hidden', { value: ${isHidden}, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'))`
}
