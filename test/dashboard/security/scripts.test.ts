import { randomUUID } from 'node:crypto'
import pg from 'pg'
import type { Page } from 'playwright-core'
import { v7 as uuidv7 } from 'uuid'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { freshServers } from '../../support/lab.js'
import { browserPath, openViewer, type Viewer } from '../pages/browser.js'
import { openShowroom, type Showroom } from '../pages/showroom.js'
import { hostileTexts } from './hostile-texts.js'

vi.setConfig({ testTimeout: 300_000, hookTimeout: 180_000 })

/** A job all of whose texts are one hostile text, as nobody could write it but straight into the store. */
interface HostileJob {
  readonly id: string
  readonly text: string
}

describe.skipIf(!browserPath)('S17: what comes with a job is text', () => {
  let room: Showroom
  let viewer: Viewer
  let page: Page
  let jobs: readonly HostileJob[]
  const ends: (() => void)[] = []

  beforeAll(async () => {
    const servers = await freshServers('redis')
    room = await openShowroom(servers, {
      workers: [['-n', hostileTexts[12] ?? '', '-c', '2', '-Q', 'mail,default']],
      authorize: () => ({ name: hostileTexts[0] ?? '', role: 'admin' }),
      onEnd: (end) => ends.push(end),
    })
    jobs = await writeJobs(servers.database)
    await room.jobs.bulk.delete(
      { tag: 'nobody' },
      { by: hostileTexts[13] ?? '', from: hostileTexts[14] ?? '' },
    )
    viewer = await openViewer(room.dashboard)
    page = await viewer.visit()
  })

  afterAll(async () => {
    await viewer?.close()
    for (const end of ends) end()
    await room?.close()
  })

  test('there are sixty, each of its own', () => {
    expect(new Set(hostileTexts).size).toBe(60)
  })

  test.each(['', 'jobs', 'tasks', 'queues', 'workers', 'system', 'audit'])(
    'on page /%s nothing runs, and no request leaves',
    async (path) => {
      await open(path)
      await page.locator('main h1').waitFor()
      await isAsItWas()
    },
  )

  test('in the list of jobs, with every column, each is shown as it was typed', async () => {
    await open('jobs')
    await page.getByRole('button', { name: 'Columns' }).click()
    const unseen = page.locator('[role="menuitemcheckbox"][aria-checked="false"]')
    while ((await unseen.count()) > 0) await unseen.first().click()
    await page.keyboard.press('Escape')
    for (const { text } of jobs.slice(-40)) await isShown(text)
    await isAsItWas()
  })

  test('on the page of a job its payload, result, error, log, tags, owner and context are', async () => {
    for (const { id, text } of jobs) {
      await open(`jobs/${id}`)
      await page.locator('main h1').getByText(oneLine(text), { exact: false }).first().waitFor()
      await isAsItWas(text)
    }
  })

  test('on the page of a task, and of a queue, that is called so', async () => {
    for (const { text } of jobs) {
      for (const kind of ['tasks', 'queues']) {
        await open(`${kind}/${encodeURIComponent(text)}`)
        await isThere(`${kind}: ${text}`)
        await isAsItWas(text)
      }
    }
  })

  test('in a search, an address or a name that there is not', async () => {
    for (const { text } of jobs.filter((_, at) => at % 4 === 0)) {
      const coded = encodeURIComponent(text)
      for (const path of [
        `jobs?query=${coded}`,
        `jobs?task=${coded}&owner=${coded}`,
        `workers/${coded}`,
        `${coded}`,
      ]) {
        await open(path)
        await isThere(path)
      }
      await isAsItWas(text)
    }
  })

  /** A step from page to page, as a click makes it: a hundred loads would take minutes. */
  async function open(path: string): Promise<void> {
    await page.evaluate(
      `history.pushState(null, '', ${JSON.stringify(new URL(path, room.dashboard).pathname + new URL(path, room.dashboard).search)})`,
    )
  }

  async function isThere(what: string): Promise<void> {
    await page
      .locator('main h1')
      .waitFor()
      .catch(async () => {
        throw new Error(`No page for ${what}: ${await page.locator('body').textContent()}`)
      })
  }

  async function isShown(text: string): Promise<void> {
    await page
      .getByText(oneLine(text), { exact: false })
      .first()
      .waitFor({ state: 'attached' })
      .catch(async () => {
        throw new Error(`${oneLine(text)} is not shown: ${await page.locator('main').textContent()}`)
      })
  }

  /** Nothing has run, nothing was asked of others, nothing is there that the pages have not made. */
  async function isAsItWas(text = ''): Promise<void> {
    await page.evaluate('new Promise((done) => setTimeout(done, 60))')
    const found = await page.evaluate<string[]>(foreign)
    expect([text, found, await page.title(), foreignOf(viewer.misdeeds())]).toEqual([
      text,
      [],
      expect.stringMatching(/ · Celeriac$/),
      [],
    ])
  }
})

/** Refusals of names that there are not are no misdeed. */
function foreignOf(misdeeds: readonly string[]): string[] {
  return misdeeds.filter(
    (each) => !/^console: Failed to load resource: the server responded with a status of 4\d\d/.test(each),
  )
}

/** Elements and attributes that no page of ours has. */
const foreign = `[...document.querySelectorAll('iframe,object,embed,marquee,video,audio,math,body script,body style:not([nonce]),body base,body link[href^="http"]:not([href^="' + location.origin + '"]),form[action^="http"]:not([action^="' + location.origin + '"])')]
  .map((each) => each.outerHTML)
  .concat([...document.querySelectorAll('body *')].flatMap((each) =>
    [...each.attributes].filter(({ name, value }) => name.startsWith('on') || (/^(href|src|action|formaction)$/.test(name) && /^\\s*(javascript|data|vbscript):/i.test(value)))
      .map(({ name, value }) => name + '=' + value)))`

/** As a browser writes it in one line. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, 40)
}

async function writeJobs(database: string): Promise<readonly HostileJob[]> {
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  const [worker] = (await client.query<{ id: string }>('SELECT id FROM celeriac.worker LIMIT 1')).rows
  const written: HostileJob[] = []
  for (const text of hostileTexts) {
    const id = uuidv7()
    // The store keeps no NUL in a text; JSON has it as it is.
    const error = { name: text, message: text, code: text, stack: `${text}\n    at ${text}` }
    const past = {
      number: 1,
      worker: worker?.id ?? null,
      startedAt: Date.now(),
      finishedAt: Date.now(),
      outcome: 'failed',
      error,
    }
    await client.query(
      `INSERT INTO celeriac.job (id, task, queue, state, payload, result, result_error, error, progress, attempt, max_attempts,
         failures, worker_id, owner, tags, idempotency_key, request_id, traceparent, context, run_at, started_at, finished_at,
         cancel_requested_at, cancelled_by, cancel_reason, attempts)
       VALUES ($1, $2, $2, 'failed', $3, $3, $2, $4, $3, 2, 3, 2, $5, $2, ARRAY[$2], $6, $2, $2, $7, now(), now(), now(), now(),
         $2, $2, $8)`,
      [
        id,
        text,
        JSON.stringify({ [text]: text, percent: 40, note: text, url: text }),
        JSON.stringify(error),
        worker?.id ?? null,
        `${text} ${randomUUID()}`,
        JSON.stringify({ locale: text, tracestate: text, values: { [text]: text } }),
        JSON.stringify([past]),
      ],
    )
    await client.query(
      `INSERT INTO celeriac.job_log (job_id, number, attempt, level, message, details, at) VALUES ($1, 1, 1, 'error', $2, $3, now())`,
      [id, text, JSON.stringify({ [text]: text })],
    )
    await client.query(
      `INSERT INTO celeriac.setting (name, value, set_by) VALUES ('pause:' || $1, '{}', $1) ON CONFLICT DO NOTHING`,
      [text],
    )
    written.push({ id, text })
  }
  await client.end()
  return written
}
