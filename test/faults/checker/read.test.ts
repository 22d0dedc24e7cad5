import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { defineTask } from '../../../src/index.js'
import { closeJobsAfterEach, freshServers, openJobs } from '../../support/lab.js'
import { freshDatabase } from '../../support/servers.js'
import type { ClientEvent } from './history.js'
import { readEffects, readEvents, readJobs, readWorkers } from './read.js'

closeJobsAfterEach()

describe("a client's log", () => {
  const fileOf = (text: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'celeriac-log-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'log'), text)
    return join(folder, 'log')
  }
  const lines = (count: number) =>
    Array.from({ length: count }, (_, at) => `{"at":${at},"kind":"retried","id":"jöb"}\n`).join('')

  test('is read in order, however long it is', () => {
    const events = [...readEvents<ClientEvent>(fileOf(lines(50_000)))]

    expect(events.map(({ at }) => at)).toEqual(Array.from({ length: 50_000 }, (_, at) => at))
    expect(new Set(events.map((event) => 'id' in event && event.id))).toEqual(new Set(['jöb']))
  })

  test('may end in the middle of a line, and nowhere else', () => {
    expect([...readEvents(fileOf(`${lines(2)}{"at":`))]).toHaveLength(2)
    expect(() => [...readEvents(fileOf(`${lines(2)}{"at":\n${lines(1)}`))]).toThrow(/log:3 is not JSON/)
  })
})

test('rows are read as they are, whatever they hold', async () => {
  const servers = await freshServers('redis')
  const sign = defineTask(async ({ key }: { key: string; text?: string }, { attempt }) => {
    if (key === 'fails' || (key === 'flaky' && attempt === 1))
      throw new RangeError(`"name":"No" ${'x'.repeat(9)}`)
    return key === 'long' ? 'x'.repeat(10_000) : { attempt, pid: process.pid }
  })
  await openJobs({
    ...servers,
    tasks: { work: { sign } },
    worker: true,
  })
  const options = { attempts: 2, backoff: { type: 'fixed', delay: 10 } } as const
  const handles = [
    await sign.enqueue({ key: 'hostile', text: 'NUL \0, lone \ud800' }),
    await sign.enqueue({ key: 'flaky' }, options),
    await sign.enqueue({ key: 'fails' }),
    await sign.enqueue({ key: 'long' }),
    await sign.enqueue({} as { key: string }, { idempotencyKey: 'by header' }),
  ]
  await Promise.all(handles.map((handle) => handle.result().catch(() => {})))

  const rows = new Map((await readJobs(servers.database)).map((row) => [row.key, row]))
  const [worker] = await readWorkers(servers.database)

  expect(worker?.pid).toBe(process.pid)
  const signature = JSON.stringify({ attempt: 1, pid: process.pid })
  expect(rows.get('hostile')).toMatchObject({
    id: handles[0]?.id,
    task: 'work.sign',
    state: 'succeeded',
    worker: worker?.id,
    result: signature,
  })
  const { createdAt = 0, finishedAt } = rows.get('hostile') ?? {}
  expect(Math.abs(Date.now() - createdAt)).toBeLessThan(60_000)
  expect(finishedAt).toBeGreaterThanOrEqual(createdAt)
  expect(rows.get('flaky')).toMatchObject({ attempt: 2, failures: 1, state: 'succeeded' })
  expect(rows.get('flaky')?.attempts).toMatchObject([{ number: 1, worker: worker?.id, outcome: 'failed' }])
  expect(rows.get('fails')).toMatchObject({ state: 'failed', errorName: 'RangeError', result: null })
  expect(rows.get('long')).toMatchObject({ state: 'succeeded', result: null })
  expect(rows.get('by header')).toMatchObject({ state: 'succeeded' })
})

test('effects are read in order, with the time of their database', async () => {
  const url = await freshDatabase()
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const id = '019f0000-0000-7000-8000-000000000000'
  await client.query(`
    CREATE TABLE effect (at timestamptz, kind text, id uuid, attempt int, pid int, key text, ok boolean);
    INSERT INTO effect VALUES ('2026-01-01 00:00:01.5Z', 'finish', '${id}', 1, 7, 'k', true),
      ('2026-01-01 00:00:01Z', 'start', '${id}', 1, 7, 'k', NULL)`)
  await client.end()

  const at = Date.parse('2026-01-01T00:00:01Z')
  expect(await readEffects(url)).toEqual([
    { at, kind: 'start', id, attempt: 1, pid: 7, key: 'k', ok: null },
    { at: at + 500, kind: 'finish', id, attempt: 1, pid: 7, key: 'k', ok: true },
  ])
})
