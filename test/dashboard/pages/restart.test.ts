import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type LongCommand, startCeleriac } from '../../cli/long-command.js'
import { freshServers, type Servers } from '../../support/lab.js'
import { until } from '../../support/until.js'
import { openRoundRobin, type RoundRobin } from '../login/round-robin.js'
import { browserPath, launchBrowser } from './browser.js'
import { openShowroom, type Showroom } from './showroom.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 180_000 })

const user = 'ann'
const password = 'correct horse'
const many = 4000

describe.skipIf(!browserPath)('two instances behind a proxy that goes round', () => {
  let room: Showroom
  let servers: Servers
  let proxy: RoundRobin
  let browser: Awaited<ReturnType<typeof launchBrowser>>
  const ends: (() => void)[] = []

  beforeAll(async () => {
    servers = await freshServers('redis')
    ;[room, proxy, browser] = await Promise.all([
      openShowroom(servers, { onEnd: (end) => ends.push(end) }),
      openRoundRobin(),
      launchBrowser(),
    ])
    await room.fill()
  })

  afterAll(async () => {
    await Promise.all([browser?.close(), proxy?.close()])
    for (const end of ends) end()
    await room?.close()
  })

  async function startInstance(): Promise<LongCommand> {
    const instance = startCeleriac(['dashboard', '--port', '0', '--json', '--trust-proxy', '1'], {
      folder: 'test/fixtures/showroom',
      variables: {
        CELERIAC_DATABASE_URL: servers.database,
        CELERIAC_BROKER_URL: servers.broker ?? '',
        CELERIAC_DASHBOARD_BASIC_AUTH: `${user}:${password}:admin`,
      },
    })
    await instance.prints('"listensAt"')
    return instance
  }

  async function startTwo(): Promise<readonly LongCommand[]> {
    const instances = await Promise.all([startInstance(), startInstance()])
    proxy.servers = instances.map(portOf)
    return instances
  }

  async function visit(path: string): Promise<Page> {
    const context = await browser.newContext({
      ignoreHTTPSErrors: true,
      viewport: { width: 1280, height: 900 },
      httpCredentials: { username: user, password },
    })
    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    await page.goto(new URL(path, proxy.url).href, { waitUntil: 'domcontentloaded' })
    return page
  }

  async function ask<Answer>(path: string, body?: object): Promise<Answer> {
    const page = await visit('/api/me')
    const said = JSON.stringify({ path: `/api${path}`, body })
    const answer =
      await page.evaluate<Answer>(`(async ({ path, body }) => (await fetch(path, body === undefined ? {} :
      { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })).json())(${said})`)
    await page.context().close()
    return answer
  }

  test('both answer, and what one shows the other shows', async () => {
    await startTwo()
    const page = await visit('/jobs?state=failed')
    await page.getByText('No mail server for').first().waitFor()

    const before = proxy.served.size
    const overviews = [await ask<Overview>('/overview?range=1h'), await ask<Overview>('/overview?range=1h')]

    expect(before).toBe(2)
    expect(overviews[0]?.states).toEqual(overviews[1]?.states)
    expect(overviews[0]?.rates.failed).toBe(overviews[1]?.rates.failed)
  })

  test('killed and started again, everything is still there, and an open page goes on by itself', async () => {
    const instances = await startTwo()
    const page = await visit('/jobs?state=failed&owner=customer-7')
    await page.getByText('No mail server for').first().waitFor()
    await room.jobs.control.pause('video', { by: 'ann' })
    const [overview, audit] = [await ask<Overview>('/overview?range=1h'), await ask<Audit>('/commands')]

    for (const instance of instances) instance.signal('SIGKILL')
    await Promise.all(instances.map(({ ended }) => ended))
    await page.getByText('Offline').first().waitFor()
    const failing = await room.jobs.enqueue(
      'mail.send',
      { to: 'new@shop.invalid', subject: 'While nobody looked' },
      { attempts: 1, owner: 'customer-7' },
    )
    await until(async () => (await failing.status()).state === 'failed', { timeoutMs: 60_000 })
    await startTwo()

    await page.locator(`a[href$="/jobs/${failing.id}"]`).first().waitFor({ timeout: 120_000 })
    expect((await ask<Overview>('/overview?range=1h')).rates.failed).toBe(overview.rates.failed + 1)
    expect((await ask<Audit>('/commands')).commands.slice(-audit.commands.length)).toEqual(audit.commands)
  })

  test('what one has begun with many jobs is told by the other, and ended when both are killed', async () => {
    const instances = await startTwo()
    await room.jobs.enqueueMany(
      'media.transcode',
      Array.from({ length: many }, (_, at) => `film-${at}.mov`),
      { queue: 'archive', delay: '1h', owner: 'films' },
    )

    const begun = await ask<Line>('/jobs/cancel', { filter: { owner: 'films' }, reason: 'no films' })
    await until(async () => (await progress(begun)).done > 0, { timeoutMs: 60_000 })
    // Whichever of them works it off.
    for (const instance of instances) instance.signal('SIGKILL')
    await Promise.all(instances.map(({ ended }) => ended))
    await startTwo()

    // By one answer: what the other instance knows may be a second old.
    const { done, counts } = await until(
      async () => {
        const now = await progress(begun)
        return now.state === 'done' && now
      },
      { timeoutMs: 120_000 },
    )
    expect([done, counts]).toEqual([many, { cancelled: many }])
    expect(await room.jobs.count({ owner: 'films', state: 'cancelled' })).toEqual({
      count: many,
      isMore: false,
    })
  })

  async function progress({ id }: Line): Promise<NonNullable<Line['operation']>> {
    const { operation } = await ask<Line>(`/commands/${id}`)
    if (!operation) throw new Error('It is no action on many jobs.')
    return operation
  }
})

interface Overview {
  readonly states: Readonly<Record<string, number>>
  readonly rates: { readonly failed: number }
}

interface Audit {
  readonly commands: readonly { readonly id: string }[]
}

interface Line {
  readonly id: string
  readonly operation: {
    readonly state: string
    readonly done: number
    readonly counts: Readonly<Record<string, number>>
  } | null
}

function portOf(instance: LongCommand): number {
  const { listensAt } = JSON.parse(/\{.*"listensAt".*\}/.exec(instance.output())?.[0] ?? '{}') as {
    listensAt: string
  }
  return Number(new URL(listensAt).port)
}
