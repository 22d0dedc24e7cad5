import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { verbs } from '../../../src/control/verbs.js'
import { orders } from '../../../src/dashboard/api/orders.js'
import { questions } from '../../../src/dashboard/api/questions.js'
import { brokers, freshServers } from '../../support/lab.js'
import { until } from '../../support/until.js'
import { startWorkerProcess, type WorkerProcess } from '../../support/worker-process.js'
import { get, openWeb, post, type Scene } from './scene.js'

test('its lists have every verb, each once', () => {
  const kinds = Object.entries(verbs)

  expect(Object.keys(orders).sort()).toEqual(
    kinds
      .filter(([, kind]) => kind === 'order')
      .map(([verb]) => verb)
      .sort(),
  )
  expect(Object.keys(questions).sort()).toEqual(
    kinds
      .filter(([, kind]) => kind === 'question')
      .map(([verb]) => verb)
      .sort(),
  )
})

describe.each(brokers)('with worker processes, on %s', (kind) => {
  let scene: Scene
  let workers: WorkerProcess[]

  const ends: (() => void)[] = []

  beforeAll(async () => {
    const servers = await freshServers(kind)
    scene = await openWeb(servers)
    workers = await Promise.all(
      ['mail', 'media'].map((name) =>
        startWorkerProcess({
          ...servers,
          args: ['-c', '2', '-n', `${name}@here`],
          onEnd: (end) => void ends.push(end),
        }),
      ),
    )
  }, 240_000)

  afterAll(async () => {
    for (const end of ends) end()
    await scene?.close()
  })

  test('questions go to those that are named', async () => {
    const all = await get(scene, '/inspect/ping?deadline=20s')
    const some = await get(scene, '/inspect/stats?workers=mail@*&deadline=20s')

    expect(all.status).toBe(200)
    expect(all.headers['content-type']).toBe('application/json; charset=utf-8')
    expect(all.body.replies.map((reply: { worker: { name: string } }) => reply.worker.name).sort()).toEqual([
      'mail@here',
      'media@here',
    ])
    expect(some.body).toMatchObject({
      replies: [{ worker: { name: 'mail@here' }, value: { concurrency: 2, running: 0 } }],
      refused: [],
      silent: [],
    })
  })

  test('an order is done, and the audit says who gave it and from where', async () => {
    const { status, body } = await post(scene, '/control/pool-grow', {
      by: 2,
      workers: ['mail@here'],
      deadline: '20s',
    })

    expect(status).toBe(200)
    expect(body).toMatchObject({ replies: [{ value: { concurrency: 4 } }], refused: [], silent: [] })
    const audit = await get(scene, '/commands?limit=1')
    expect(audit.body.commands).toMatchObject([
      {
        id: body.command,
        verb: 'pool-grow',
        args: { by: 2 },
        by: 'ann@shop',
        affected: 1,
        from: expect.stringMatching(/^http (::ffff:)?127\.0\.0\.1$/),
      },
    ])
    expect(audit.body.next).toBe(body.command)
    expect((await get(scene, `/commands/${body.command}`)).body).toMatchObject({
      ...{ verb: 'pool-grow', affected: 1, operation: null },
      workers: [{ name: 'mail@here', came: 'replied', value: { concurrency: 4 }, at: expect.any(String) }],
    })
    const older = await get(scene, `/commands?before=${audit.body.next}`)
    expect(older.body.commands.map(({ id }: { id: string }) => id)).not.toContain(body.command)
  })

  test('what holds for all is told to all, and shown', async () => {
    expect((await post(scene, '/control/pause', { queue: 'default', deadline: '20s' })).body).toMatchObject({
      replies: [{ value: { paused: ['default'] } }, { value: { paused: ['default'] } }],
    })
    expect((await get(scene, '/queues')).body.queues).toContainEqual(
      expect.objectContaining({ name: 'default', isPaused: true }),
    )
    expect((await post(scene, '/control/resume', { queue: 'default', deadline: '20s' })).status).toBe(200)
  })

  test('workers are listed, without secrets', async () => {
    const { body } = await get(scene, '/workers')
    const mail = body.workers.find(({ name }: { name: string }) => name === 'mail@here')

    expect(mail).toMatchObject({ state: 'ok', pid: workers[0]?.pid, concurrency: 4, endedAt: null })
    expect(body.total).toBe(2)
    expect((await get(scene, '/workers?state=lost')).body).toEqual({ workers: [], total: 0 })
    expect(JSON.stringify(body)).not.toMatch(/:\/\/[^"/]*@/)
  })

  test('a worker is shown by name and by id, with its configuration and what it said over time', async () => {
    const { body } = await get(scene, '/workers')
    const { id } = body.workers.find(({ name }: { name: string }) => name === 'mail@here')
    const shown = await until(
      async () => {
        const page = await get(scene, `/workers/${id}?range=15m`)
        return page.body.series.memory.at(-1) !== null && page.body
      },
      { timeoutMs: 30_000 },
    )

    expect(shown).toMatchObject({
      ...{ id, name: 'mail@here', state: 'ok', range: '15m', version: expect.any(String), active: [] },
      ...{ config: { worker: expect.anything() }, tasks: expect.arrayContaining(['work.quick']) },
    })
    expect(shown.series.stepMs).toBe(60_000)
    expect(shown.series.memory.at(-1)).toBeGreaterThan(1e6)
    expect((await get(scene, '/workers/mail%40here')).body.id).toBe(id)
    expect(JSON.stringify(shown)).not.toMatch(/:\/\/[^"/]*@/)
    const unknown = await get(scene, '/workers/mial@here')
    expect([unknown.status, unknown.body.code]).toEqual([404, 'UNKNOWN_WORKER'])
  })

  test('status, queues and tasks are told as JSON', async () => {
    await until(async () => (await get(scene, '/status')).body.status === 'ok', { timeoutMs: 30_000 })
    expect((await get(scene, '/queues')).body.queues).toContainEqual(
      expect.objectContaining({ name: 'default', waiting: 0, servedBy: ['mail@here', 'media@here'] }),
    )
    expect((await get(scene, '/tasks')).body.tasks).toContainEqual(
      expect.objectContaining({
        name: 'mail.send',
        queue: 'default',
        isKnownHere: true,
        workers: [],
        open: 0,
      }),
    )
  })

  test('a task is run by those that serve its queue at this moment', async () => {
    const only = { workers: ['media@here'], deadline: '20s' }
    const workersOf = async (name: string) => (await get(scene, `/tasks/${name}`)).body.workers
    expect(await workersOf('work.quick')).toEqual(['mail@here', 'media@here'])
    await post(scene, '/control/queue-add', { queue: 'spare', ...only })
    await post(scene, '/control/queue-remove', { queue: 'default', ...only })

    await until(async () => (await workersOf('work.quick')).length === 1, { timeoutMs: 30_000 })
    expect(await workersOf('work.quick')).toEqual(['mail@here'])

    await post(scene, '/control/reset', only)
    await until(async () => (await workersOf('work.quick')).length === 2, { timeoutMs: 30_000 })
  })

  test('a worker that is stopped is named as silent, within the deadline', async () => {
    workers[1]?.signal('SIGSTOP')
    try {
      const from = performance.now()
      const { status, body } = await get(scene, '/inspect/ping?deadline=1500ms')

      expect(performance.now() - from).toBeLessThan(10_000)
      expect(status).toBe(200)
      expect(body.silent).toMatchObject([{ name: 'media@here' }])
      const { workers: asked } = (await get(scene, `/commands/${body.command}`)).body
      expect(asked.map(({ name, came }: { name: string; came: string }) => [name, came]).sort()).toEqual([
        ['mail@here', 'replied'],
        ['media@here', 'silent'],
      ])
    } finally {
      workers[1]?.signal('SIGCONT')
    }
  })
})
