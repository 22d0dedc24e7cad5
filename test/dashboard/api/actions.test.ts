import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freshServers } from '../../support/lab.js'
import { until } from '../../support/until.js'
import { get, openWeb, post, type Scene } from './scene.js'

describe('jobs', () => {
  let scene: Scene

  beforeAll(async () => {
    scene = await openWeb(await freshServers('postgres'))
    await scene.jobs.enqueueMany('mail.send', ['ann', 'bob', 'carol'], { tags: ['first'] })
    await scene.jobs.enqueueMany('mail.gated', ['a', 'b'], { queue: 'mail' })
  }, 120_000)

  afterAll(() => scene?.close())

  test('are found, page by page, and counted', async () => {
    const first = await get(scene, '/jobs?task=mail.send,mail.moody&tag=first&limit=2&sort=oldest')
    const rest = await get(scene, `/jobs?task=mail.send&tag=first&sort=oldest&cursor=${first.body.cursor}`)

    const payloads = [...first.body.jobs, ...rest.body.jobs].map(({ payload }) => payload)
    expect(payloads).toEqual(['ann', 'bob', 'carol'])
    expect(rest.body.cursor).toBeNull()
    expect((await get(scene, '/job-count?queue=mail&state=queued')).body).toEqual({ count: 2, isMore: false })
    const [job] = first.body.jobs
    expect((await get(scene, `/jobs/${job.id}`)).body).toMatchObject({
      job: { id: job.id, payload: 'ann', workerName: null },
    })
  })

  test('are cancelled by a filter and by id, and the audit says by whom', async () => {
    const byFilter = await post(scene, '/jobs/cancel', { filter: { queue: 'mail' }, reason: 'a mistake' })
    expect(byFilter.body).toMatchObject({
      ...{ verb: 'cancel', affected: 2, by: 'ann@shop' },
      operation: { state: 'done', done: 2, counts: { cancelled: 2 } },
    })

    const { body } = await get(scene, '/jobs?queue=mail')
    expect(body.jobs[0]).toMatchObject({
      state: 'cancelled',
      cancelledBy: 'ann@shop',
      cancelReason: 'a mistake',
    })
    const ids = body.jobs.map(({ id }: { id: string }) => id)
    expect((await post(scene, '/jobs/retry', { ids })).body.operation.counts).toEqual({ retried: 2 })
    expect((await post(scene, '/jobs/move', { ids, queue: 'other' })).body.operation.counts).toEqual({
      moved: 2,
    })
    expect((await post(scene, '/jobs/delete', { ids })).body.operation.counts).toEqual({ deleted: 2 })

    const audit = await get(scene, '/commands?limit=4')
    const told = audit.body.commands.map(({ verb, by }: { verb: string; by: string }) => [verb, by])
    expect(told).toEqual(['delete', 'move', 'retry', 'cancel'].map((verb) => [verb, 'ann@shop']))
  })

  test('are acted on by the thousand, while one looks how far it is, stops it, and lets it go on', async () => {
    const many = Array.from({ length: 3000 }, () => 'many')
    await scene.jobs.enqueueMany('mail.gated', many, { queue: 'bulk', delay: '1h' })
    const from = performance.now()
    const { status, body } = await post(scene, '/jobs/cancel', { filter: { queue: 'bulk' } })
    expect(performance.now() - from).toBeLessThan(10_000)
    expect(status).toBe(200)
    expect(['running', 'done']).toContain(body.operation.state)

    const stopped = await post(scene, `/commands/${body.id}/stop`, undefined, { 'X-User': 'olga' })
    const { done, state } = stopped.body.operation
    if (state === 'stopped') {
      expect(stopped.body.operation.stoppedBy).toBe('olga@shop')
      expect((await get(scene, `/commands/${body.id}`)).body.operation.done).toBe(done)
      expect((await post(scene, `/commands/${body.id}/resume`)).status).toBe(200)
    }
    const ended = await until(
      async () => {
        const line = (await get(scene, `/commands/${body.id}`)).body
        return line.operation.state === 'done' && line
      },
      { timeoutMs: 100_000, everyMs: 300 },
    )
    expect(ended).toMatchObject({
      ...{ affected: 3000, by: 'ann@shop', workers: [] },
      operation: { done: 3000, counts: { cancelled: 3000 }, isMore: false, error: null },
    })
    expect((await get(scene, '/job-count?queue=bulk&state=scheduled')).body.count).toBe(0)
  }, 120_000)

  test('have an audit that is read by verb, person, place and time', async () => {
    const all = await get(scene, '/commands')
    const read = async (query: string): Promise<string[]> =>
      (await get(scene, `/commands?${query}`)).body.commands.map(({ verb }: { verb: string }) => verb)
    expect(all.body.commands.length).toBeGreaterThanOrEqual(5)

    expect(await read('verb=move')).toEqual(['move'])
    expect(await read('by=nobody')).toEqual([])
    expect((await read('by=ann%40shop&limit=2')).length).toBe(2)
    expect(await read('from=http')).toHaveLength(all.body.commands.length)
    expect(await read('from=cli')).toEqual([])
    expect(await read('since=1h')).toHaveLength(all.body.commands.length)
    expect(await read('since=2100-01-01T00:00:00Z')).toEqual([])
    const page = await get(scene, '/commands?limit=2')
    const next = await get(scene, `/commands?limit=1000&before=${page.body.next}`)
    expect([...page.body.commands, ...next.body.commands]).toEqual(all.body.commands)
  })

  test.each([
    ['/commands/nothing', 404, 'COMMAND_NOT_FOUND'],
    ['/commands/018f0000-0000-7000-8000-000000000001', 404, 'COMMAND_NOT_FOUND'],
  ])('GET %s is answered %i', async (path, status, code) => {
    const answer = await get(scene, path)
    expect([answer.status, answer.body.code]).toEqual([status, code])
  })

  test('that were not many are not stopped', async () => {
    const { body } = await post(scene, '/control/pause', { queue: 'nowhere' })
    const answer = await post(scene, `/commands/${body.command}/stop`)

    expect([answer.status, answer.body.code]).toEqual([409, 'NO_OPERATION'])
  })

  test.each<[string, string, unknown, number, string]>([
    ['nothing', '/jobs/delete', {}, 400, 'BAD_REQUEST'],
    ['an empty filter', '/jobs/delete', { filter: {} }, 400, 'BAD_REQUEST'],
    ['an empty query', '/jobs/delete', { filter: { query: ' ' } }, 400, 'BAD_REQUEST'],
    ['a filter that is a list', '/jobs/delete', { filter: [] }, 400, 'BAD_REQUEST'],
    ['a filter of another word', '/jobs/delete', { filter: { status: 'failed' } }, 400, 'BAD_REQUEST'],
    ['an operator in a filter', '/jobs/delete', { filter: { task: { not: '' } } }, 400, 'BAD_REQUEST'],
    ['an id that is an object', '/jobs/delete', { ids: [{ not: '' }] }, 400, 'BAD_REQUEST'],
    ['both', '/jobs/delete', { ids: [], filter: { queue: 'q' } }, 400, 'BAD_REQUEST'],
    ['no place to move to', '/jobs/move', { filter: { queue: 'mail' } }, 400, 'BAD_REQUEST'],
    ['a reason that is a number', '/jobs/cancel', { filter: { queue: 'x' }, reason: 7 }, 400, 'BAD_REQUEST'],
    ['a cursor of nowhere', '/jobs/cancel', { filter: { queue: 'x' }, cursor: 'x' }, 400, 'BAD_REQUEST'],
    ['a cursor that is none', '/jobs/cancel', { filter: { queue: 'x' }, cursor: {} }, 400, 'BAD_REQUEST'],
    ['an action that is none', '/jobs/constructor', { ids: [] }, 404, 'UNKNOWN_ACTION'],
  ])('%s changes nothing', async (_what, path, body, status, code) => {
    const answer = await post(scene, path, body)

    expect([answer.status, answer.body.code]).toEqual([status, code])
    expect((await get(scene, '/job-count?state=queued&task=mail.send')).body.count).toBe(3)
  })

  test.each([
    ['/jobs?status=failed', 400],
    ['/jobs?state=failing', 400],
    ['/jobs?limit=1001', 400],
    ['/jobs?sort=payload', 400],
    ['/jobs?cursor=x', 400],
    ['/jobs?state[not]=failed', 400],
    ['/jobs?minAttempts=1e9', 400],
    ['/jobs?createdAfter=yesterdayish', 400],
    ['/jobs/nothing', 404],
    ['/jobs/018f0000-0000-7000-8000-000000000001', 404],
  ])('GET %s is answered %i', async (path, status) => {
    expect((await get(scene, path)).status).toBe(status)
  })
})
