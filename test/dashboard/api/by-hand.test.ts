import { createHash } from 'node:crypto'
import { request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freshServers } from '../../support/lab.js'
import { until } from '../../support/until.js'
import { type Filled, openShowroom, type Showroom } from '../pages/showroom.js'
import { ask } from '../shop.js'
import { api, byHeader, get, portOf, post, users } from './scene.js'

let room: Showroom
let filled: Filled
let scene: { readonly port: number }
const ends: (() => void)[] = []

beforeAll(async () => {
  room = await openShowroom(await freshServers('postgres'), {
    authorize: byHeader,
    maxPayload: 200_000,
    dashboard: { traceUrl: 'https://traces.example.com/{traceId}' },
    onEnd: (end) => void ends.push(end),
  })
  scene = { port: portOf(room.url) }
  filled = await room.fill()
}, 240_000)

afterAll(async () => {
  for (const end of ends) end()
  await room?.close()
})

async function lastDeed() {
  return (await get(scene, '/commands?limit=1')).body.commands[0]
}

const secret = '4000 0000 0000 0002'
const mail = { to: 'ada@example.com', subject: 'Hello' }

describe('a job that is enqueued by hand', () => {
  test('runs, is waited for, and stands in the audit without its payload', async () => {
    const answer = await post(scene, '/tasks/mail.send/enqueue?wait=20', {
      payload: mail,
      ...{ tags: ['by-hand'], priority: 3, owner: 'customer-9' },
    })

    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({
      created: true,
      job: { state: 'succeeded', owner: 'customer-9', tags: ['by-hand'], priority: 3 },
    })
    const deed = await lastDeed()
    expect(deed).toMatchObject({
      ...{ verb: 'enqueue', by: 'ann@shop', affected: 1 },
      outcome: { id: answer.body.id, created: true },
    })
    expect(JSON.stringify(deed)).not.toContain(mail.subject)
  })

  test('waits for its time', async () => {
    const { body } = await post(scene, '/tasks/mail.send/enqueue', {
      ...{ payload: mail, runAt: '2100-01-31T08:00:00Z', expiresIn: '36500d' },
    })

    expect(body.job).toMatchObject({ state: 'scheduled', runAt: '2100-01-31T08:00:00.000Z', owner: null })
  })

  test('may be as large as payloads are, and no larger', async () => {
    const large = await post(scene, '/tasks/mail.send/enqueue', {
      payload: { ...mail, body: 'x'.repeat(150_000) },
    })
    const larger = await post(scene, '/tasks/mail.send/enqueue', {
      payload: { ...mail, body: 'x'.repeat(205_000) },
    })

    expect(large.status).toBe(200)
    expect([larger.status, larger.body.code]).toEqual([413, 'PAYLOAD_TOO_LARGE'])
  })

  test('repeats another with what that one hides, for who may edit', async () => {
    const { job } = (await get(scene, `/jobs/${filled.secret}`)).body
    const body = { payload: job.payload, delay: '1h' }
    const path = '/tasks/billing.charge/enqueue'

    const plain = await post(scene, path, body)
    users.set('nora', { name: 'nora@shop', may: (action) => action === 'view' || action === 'task.enqueue' })
    const other = await post(scene, path, { ...body, copyOf: filled.secret }, { 'X-User': 'nora' })
    const copy = await post(scene, path, { ...body, copyOf: filled.secret }, { 'X-User': 'olga' })

    expect([plain.status, plain.body.issues[0].path]).toEqual([422, ['card', 'number']])
    expect([other.status, other.body.code]).toEqual([403, 'FORBIDDEN'])
    expect(copy.status).toBe(200)
    expect(copy.body.job.payload.card.number).toBe('[redacted]')
    expect((await post(scene, `/jobs/${copy.body.id}/reveal`)).body.payload.card.number).toBe(secret)
  })

  test('must pass the schema of its task, and is told where it does not', async () => {
    const before = await lastDeed()
    const { status, body } = await post(scene, '/tasks/mail.send/enqueue', { payload: { to: 'nobody' } })

    expect([status, body.code]).toEqual([422, 'PAYLOAD_INVALID'])
    expect(body.issues.map(({ path }: { path: unknown }) => path)).toEqual([['to'], ['subject']])
    expect((await get(scene, '/job-count?query=payload.to:nobody')).body.count).toBe(0)
    expect(before).toBeDefined()
  })

  test.each<[string, string, unknown, number, string]>([
    ['a task that is none', '/tasks/mail.sned/enqueue', { payload: mail }, 404, 'UNKNOWN_TASK'],
    ['an option that is none', '/tasks/mail.send/enqueue', { payload: mail, tx: {} }, 400, 'BAD_REQUEST'],
    [
      'another that is none',
      '/tasks/mail.send/enqueue',
      { payload: mail, idempotencyKey: 'x' },
      400,
      'BAD_REQUEST',
    ],
    [
      'a delay that is none',
      '/tasks/mail.send/enqueue',
      { payload: mail, delay: 'soon' },
      400,
      'ENQUEUE_OPTION',
    ],
    [
      'a time that is none',
      '/tasks/mail.send/enqueue',
      { payload: mail, runAt: 'soon' },
      400,
      'ENQUEUE_OPTION',
    ],
    ['a queue that is none', '/tasks/mail.send/enqueue', { payload: mail, queue: 'a b' }, 400, 'BAD_REQUEST'],
    [
      'a priority that is none',
      '/tasks/mail.send/enqueue',
      { payload: mail, priority: '1' },
      400,
      'ENQUEUE_OPTION',
    ],
    ['tags that are none', '/tasks/mail.send/enqueue', { payload: mail, tags: 'a' }, 400, 'BAD_REQUEST'],
    ['a wait of minutes', '/tasks/mail.send/enqueue?wait=60', { payload: mail }, 400, 'BAD_REQUEST'],
  ])('is refused for %s', async (_what, path, body, status, code) => {
    const answer = await post(scene, path, body)

    expect([answer.status, answer.body.code]).toEqual([status, code])
  })
})

describe('a retry', () => {
  test('begins a job anew, as it is', async () => {
    const { status, body } = await post(scene, `/jobs/${filled.failed}/retry`, {}, { 'X-User': 'olga' })

    expect([status, body]).toEqual([200, { id: filled.failed }])
    expect(await lastDeed()).toMatchObject({ verb: 'retry', by: 'olga@shop', args: { ids: [filled.failed] } })
    await until(async () => (await get(scene, `/jobs/${filled.failed}`)).body.job.attempt === 2, {
      timeoutMs: 30_000,
    })
  })

  test('takes another payload, and what was hidden stays as it was', async () => {
    const { job } = (await get(scene, `/jobs/${filled.secret}`)).body
    expect(job.payload.card.number).toBe('[redacted]')
    const edited = { ...job.payload, cents: 100 }
    expect((await post(scene, `/jobs/${filled.secret}/retry`, { payload: edited })).status).toBe(200)

    const done = await until(
      async () => {
        const { body } = await get(scene, `/jobs/${filled.secret}`)
        return body.job.state === 'succeeded' && body.job
      },
      { timeoutMs: 30_000 },
    )
    expect(done).toMatchObject({ payload: { cents: 100 }, result: { cents: 100 } })
    const deed = await lastDeed()
    expect(deed).toMatchObject({ verb: 'retry-edited', by: 'ann@shop', affected: 1 })
    expect(JSON.stringify(deed)).not.toContain('cents')
  })

  test('of a payload that its task refuses changes nothing', async () => {
    const { id } = await room.jobs.enqueue('billing.charge', {
      ...{ customer: { id: 9, name: 'Eve' }, card: { number: secret, brand: 'visa' }, cents: 9_000_000 },
    })
    await until(async () => (await get(scene, `/jobs/${id}`)).body.job.state === 'failed', {
      timeoutMs: 30_000,
    })
    const { status, body } = await post(scene, `/jobs/${id}/retry`, { payload: { customer: {}, cents: -1 } })

    expect([status, body.code]).toEqual([422, 'PAYLOAD_INVALID'])
    expect(body.issues.length).toBeGreaterThan(2)
    expect((await get(scene, `/jobs/${id}`)).body.job.state).toBe('failed')
  })

  test.each<[string, () => string, number, string]>([
    ['of what runs', () => filled.running, 409, 'JOB_NOT_RETRIED'],
    ['of what has succeeded', () => filled.succeeded, 409, 'JOB_NOT_RETRIED'],
    ['of nothing', () => '018f0000-0000-7000-8000-000000000001', 404, 'JOB_NOT_FOUND'],
    ['of no id', () => 'nothing', 404, 'JOB_NOT_FOUND'],
  ])('%s is refused', async (_what, id, status, code) => {
    for (const body of [{}, { payload: mail }]) {
      const answer = await post(scene, `/jobs/${id()}/retry`, body)
      expect([answer.status, answer.body.code]).toEqual([status, code])
    }
  })

  test('is for those who may', async () => {
    const viewer = await post(scene, `/jobs/${filled.failed}/retry`, {}, { 'X-User': 'vera' })

    expect([viewer.status, viewer.body.code]).toEqual([403, 'FORBIDDEN'])
  })
})

describe('what a task hides', () => {
  test('is shown to those who may, and the audit says to whom', async () => {
    const { id } = await room.jobs.enqueue(
      'billing.charge',
      { customer: { id: 9, name: 'Eve' }, card: { number: secret, brand: 'visa' }, cents: 1 },
      { delay: '1h' },
    )
    const { status, body } = await post(scene, `/jobs/${id}/reveal`)

    expect(status).toBe(200)
    expect(body).toMatchObject({ id, isRemoved: false, payload: { card: { number: secret } } })
    expect(await lastDeed()).toMatchObject({
      verb: 'reveal',
      by: 'ann@shop',
      affected: 1,
      args: { ids: [id] },
    })
    const operator = await post(scene, `/jobs/${id}/reveal`, undefined, { 'X-User': 'olga' })
    expect([operator.status, operator.body.code]).toEqual([403, 'FORBIDDEN'])
    expect(JSON.stringify((await get(scene, `/jobs/${id}`)).body)).not.toContain(secret)
  })

  test('is gone where the job has succeeded', async () => {
    const { body } = await post(scene, `/jobs/${filled.secret}/reveal`)
    expect(body).toMatchObject({ isRemoved: true, payload: { card: { number: '[redacted]' } } })
  })
})

test('names for filters are told, also those that only the code knows', async () => {
  const { body } = await get(scene, '/vocabulary')

  expect(body).toMatchObject({
    tasks: expect.arrayContaining(['mail.send', 'reports.buildYear', 'media.transcode']),
    queues: expect.arrayContaining(['mail', 'video', 'default']),
    workers: ['mail@one', 'reports@two'],
    tags: expect.arrayContaining(['newsletter']),
    owners: expect.arrayContaining(['customer-7']),
    errors: expect.arrayContaining(['MailError', 'RangeError']),
  })
})

describe('an export', () => {
  const read = async (query: string, user = 'ann') =>
    ask(scene, `${api}/job-export?${query}`, { headers: { 'X-User': user } })

  test('has all that match as a table, and stands in the audit', async () => {
    const { status, headers, body } = await read('tag=newsletter&columns=id,state,payload')
    const lines = body.split('\r\n')

    expect(status).toBe(200)
    expect(headers['content-type']).toMatch(/^text\/csv/)
    expect(headers['content-disposition']).toMatch(/^attachment; filename="jobs-\d{4}-\d\d-\d\d-\d{4}\.csv"$/)
    expect(lines[0]).toBe('id,state,payload')
    expect(lines).toHaveLength(62)
    const deed = await until(async () => {
      const line = await lastDeed()
      return line.verb === 'export' && line.outcome !== null && line
    })
    expect(deed).toMatchObject({
      ...{ verb: 'export', by: 'ann@shop', affected: 60, outcome: { jobs: 60, isWhole: true } },
      args: { filter: { tag: ['newsletter'] }, format: 'csv' },
    })
  })

  test('has them as JSON Lines, and hides what is hidden', async () => {
    const { headers, body } = await read('task=billing.charge&format=jsonl')
    const jobs = body
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))

    expect(headers['content-type']).toMatch(/^application\/jsonl/)
    expect(jobs.length).toBeGreaterThan(1)
    expect(body).not.toContain(secret)
  })

  test.each([
    ['format=xml', 400],
    ['columns=id,secret', 400],
    ['query=state:', 400],
    ['colour=red', 400],
  ])('with %s is refused', async (query, status) => {
    expect((await read(query)).status).toBe(status)
  })

  test('is for those who may', async () => {
    expect((await read('state=failed', 'vera')).status).toBe(403)
  })

  test('ends when its reader goes', async () => {
    await room.jobs.enqueueMany(
      'media.transcode',
      Array.from({ length: 3000 }, (_, at) =>
        createHash('sha512').update(String(at)).digest('hex').repeat(8),
      ),
    )
    await new Promise<void>((resolve, reject) => {
      const asked = request(
        { port: scene.port, path: `${api}/job-export?task=media.transcode`, headers: { 'X-User': 'ann' } },
        (answer) => {
          answer.once('data', () => {
            answer.destroy()
            resolve()
          })
          answer.once('error', () => {})
        },
      )
      asked.once('error', reject)
      asked.end()
    })

    const deed = await until(async () => {
      const line = await lastDeed()
      return line.verb === 'export' && line.outcome !== null && line
    })
    expect(deed.outcome.isWhole).toBe(false)
    expect(deed.affected).toBeLessThan(3000)
  })
})

test('who asks is told what he may, and where traces and jobs are', async () => {
  expect((await get(scene, '/me', 'vera')).body).toMatchObject({
    ...{ name: 'vera@shop', role: 'viewer', actions: ['view'], canLogOut: false },
    ...{ traceUrl: 'https://traces.example.com/{traceId}', statusUrl: '../{id}' },
  })
})

test('a written query finds, and one that makes no sense is told where', async () => {
  const found = await get(
    scene,
    `/jobs?query=${encodeURIComponent('task:mail.* state:failed "No mail server"')}`,
  )
  const wrong = await get(scene, `/jobs?query=${encodeURIComponent('state:failing')}`)

  expect(found.body.jobs.length).toBeGreaterThan(5)
  expect(found.body.since).not.toBeNull()
  expect([wrong.status, wrong.body.code]).toEqual([400, 'BAD_REQUEST'])
})
