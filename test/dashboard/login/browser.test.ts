import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type LongCommand, startCeleriac } from '../../cli/long-command.js'
import { openJobs } from '../../support/lab.js'
import { type OpenIdProvider, openIdProvider } from '../../support/openid-provider.js'
import { freshDatabase } from '../../support/servers.js'
import { until } from '../../support/until.js'
import { browserPath, launchBrowser, look } from '../pages/browser.js'
import { openRoundRobin, type RoundRobin } from './round-robin.js'

vi.setConfig({ testTimeout: 180_000 })

describe.skipIf(!browserPath)('S37: in a browser, at two instances behind a proxy', () => {
  let provider: OpenIdProvider
  let proxy: RoundRobin
  let database: string
  let browser: Awaited<ReturnType<typeof launchBrowser>>
  let instances: readonly LongCommand[]

  beforeAll(async () => {
    database = await freshDatabase()
    const jobs = await openJobs({ database, tasks: {}, deadline: '20s' })
    await jobs.close()
    ;[provider, proxy, browser] = await Promise.all([
      openIdProvider({
        ann: { sub: 'a1', email: 'ann@example.com', email_verified: true, groups: ['jobs-admins'] },
        bob: { sub: 'b2', email: 'bob@else.test', email_verified: true },
      }),
      openRoundRobin(),
      launchBrowser(),
    ])
  }, 180_000)

  afterAll(async () => {
    await Promise.all([browser?.close(), proxy?.close(), provider?.close()])
  })

  async function startTwo(): Promise<void> {
    instances = await Promise.all([1, 2].map(() => startInstance()))
    proxy.servers = instances.map((instance) => portOf(instance))
  }

  async function startInstance(): Promise<LongCommand> {
    const instance = startCeleriac(
      [
        ...['dashboard', '--port', '0', '--json', '--public-url', proxy.url, '--trust-proxy', '1'],
        ...['--oidc-issuer', provider.issuer, '--oidc-client-id', provider.clientId],
        ...['--oidc-role', 'jobs-admins=admin', '--oidc-email', '*@example.com=viewer'],
      ],
      {
        folder: 'test/fixtures/crew',
        variables: {
          CELERIAC_DATABASE_URL: database,
          CELERIAC_BROKER_URL: database,
          CELERIAC_DASHBOARD_OIDC_CLIENT_SECRET: provider.clientSecret,
        },
      },
    )
    await instance.prints('"listensAt"')
    return instance
  }

  function portOf(instance: LongCommand): number {
    return Number(/"listensAt":"http:\/\/127\.0\.0\.1:(\d+)\//.exec(instance.output())?.[1])
  }

  async function openBrowser(): Promise<{ context: BrowserContext; page: Page }> {
    const context = await browser.newContext({ ignoreHTTPSErrors: true })
    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    return { context, page }
  }

  async function signIn(page: Page, path: string, account: string): Promise<void> {
    await page.goto(`${proxy.url}${path}`)
    await page.getByRole('link', { name: 'Sign in with localhost' }).click()
    await page.getByRole('link', { name: account }).click()
  }

  test('somebody signs in, works, and stays signed in when both are started anew', async () => {
    await startTwo()
    const { context, page } = await openBrowser()

    await page.goto(`${proxy.url}/jobs?state=failed`)
    await look(page, 'login')
    await page.getByRole('link', { name: 'Sign in with localhost' }).click()
    await page.getByRole('link', { name: 'ann' }).click()
    await page.waitForURL(`${proxy.url}/jobs?state=failed`)
    await page.getByText('ann@example.com').first().waitFor()

    const cookies = await context.cookies(proxy.url)
    expect(cookies).toMatchObject([
      {
        ...{ name: expect.stringMatching(/^__Host-celeriac-session-[0-9a-f]{8}$/), path: '/' },
        ...{ httpOnly: true, secure: true, sameSite: 'Strict', domain: 'localhost' },
      },
    ])
    expect(await page.evaluate('document.cookie')).toBe('')
    expect([...proxy.served.values()].filter((count) => count > 1)).toHaveLength(2)

    for (const instance of instances) instance.signal('SIGTERM')
    await Promise.all(instances.map(({ ended }) => ended))
    await startTwo()
    await page.reload()
    await page.getByText('ann@example.com').first().waitFor()
    await context.close()
  })

  test('a link on another site opens the page at once', async () => {
    await startTwo()
    const { context, page } = await openBrowser()
    await signIn(page, '/', 'ann')
    await page.getByText('ann@example.com').first().waitFor()

    // The provider stands for any other site: http://127.0.0.1 is not the site of https://localhost.
    await page.goto(`${provider.issuer.replace('localhost', '127.0.0.1')}/jwks`)
    await page.setContent(`<a href="${proxy.url}/queues">the queues</a>`)
    await page.getByRole('link', { name: 'the queues' }).click()

    await page.waitForURL(`${proxy.url}/queues`)
    await page.getByText('ann@example.com').first().waitFor()
    await context.close()
  })

  test('signing out ends it, also in another tab; signing in again gives another cookie', async () => {
    await startTwo()
    const { context, page } = await openBrowser()
    await signIn(page, '/', 'ann')
    await page.getByText('ann@example.com').first().waitFor()
    const before = await context.cookies(proxy.url)
    const other = await context.newPage()
    await other.goto(`${proxy.url}/jobs`)

    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByRole('heading', { name: 'Signed out' }).waitFor()
    await look(page, 'logged-out')

    expect(await context.cookies(proxy.url)).toEqual([])
    await other.reload()
    await other.getByRole('heading', { name: 'Sign in' }).waitFor()
    await signIn(page, '/', 'ann')
    await page.getByText('ann@example.com').first().waitFor()
    const after = await context.cookies(proxy.url)
    expect(after.map(({ value }) => value)).not.toEqual(before.map(({ value }) => value))
    await context.close()
  })

  test('who may not come in is told why, and may try as somebody else', async () => {
    await startTwo()
    const { context, page } = await openBrowser()
    await signIn(page, '/workers', 'bob')

    await page.getByText('as bob@else.test, but nobody has given this account a role here').waitFor()
    await look(page, 'login-refused')
    await page.getByRole('link', { name: 'Use another account' }).click()
    await page.getByRole('link', { name: 'ann' }).click()
    await page.waitForURL(`${proxy.url}/workers`)
    await until(() => instances.some((instance) => instance.output().includes('A login failed')))
    await context.close()
  })
})
