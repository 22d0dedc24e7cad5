import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freshServers } from '../../support/lab.js'
import { until } from '../../support/until.js'
import { get, openWeb, post, type Scene } from '../api/scene.js'
import { tasks } from '../shop.js'

let scene: Scene

beforeAll(async () => {
  scene = await openWeb(await freshServers('postgres'), {
    options: { worker: { concurrency: 2, name: 'here' } },
  })
  await until(async () => (await get(scene, '/workers')).body.total === 1, { timeoutMs: 30_000 })
}, 120_000)

afterAll(() => scene?.close())

const commands = async () => (await get(scene, '/commands?limit=1000')).body.commands.length as number

/** Not one of them is in the list of verbs. */
const strange = [
  ...['eval', 'exec', 'import', 'require', 'run', 'ping', 'report', '', ' shutdown', 'shutdown ', 'Shutdown'],
  ...['shutdown/now', '../control/shutdown', 'shutdown;now', '__proto__', 'constructor', 'hasOwnProperty'],
  ...[
    'toString',
    'file:///etc/passwd',
    './evil.js',
    'data:text/javascript,1',
    'node:child_process',
    '*',
    '%00',
  ],
]

describe('S29: a worker is told', () => {
  test.each(strange)('no %j, whoever asks, and no line says that it was', async (verb) => {
    const before = await commands()

    for (const user of ['vera', 'olga', 'ann']) {
      const path = `/control/${encodeURIComponent(verb)}`
      const { status } = await post(scene, path, { code: 'process.exit()' }, { 'X-User': user })
      expect([400, 404, 405], user).toContain(status)
    }

    expect(await commands()).toBe(before)
  })

  test.each<[string, string, object, number]>([
    ['by a viewer', 'vera', { workers: ['here'] }, 403],
    ['by an operator to end', 'olga', { workers: ['here'] }, 403],
    ['by nobody', 'bob', { workers: ['here'] }, 403],
    ['of another fleet', 'ann', { workers: ['there'] }, 404],
    ['with words that it does not know', 'ann', { workers: ['here'], signal: 'SIGKILL', code: '1' }, 400],
    ['later than it asks', 'ann', { workers: ['here'], deadline: -1 }, 400],
    ['as of long ago', 'ann', { workers: ['here'], askedAt: '2020-01-01', id: 'x', expiresAt: 0 }, 400],
  ])('nothing %s', async (_what, user, body, status) => {
    const before = await commands()

    expect((await post(scene, '/control/shutdown', body, { 'X-User': user })).status).toBe(status)

    expect(await commands()).toBe(before)
    expect((await get(scene, '/inspect/ping')).body.replies).toHaveLength(1)
  })

  test('only what is said of it, in the name of who asked, not of whom he names', async () => {
    const body = { level: 'debug', workers: ['here'] }
    expect(
      (await post(scene, '/control/log-level', { ...body, by: 'ann@shop' }, { 'X-User': 'olga' })).status,
    ).toBe(400)
    const { body: answer } = await post(scene, '/control/log-level', body, {
      ...{ 'X-User': 'olga', 'X-Forwarded-For': '203.0.113.9', 'X-Real-IP': '203.0.113.9' },
    })

    const [line] = (await get(scene, '/commands?limit=1')).body.commands
    expect(line).toMatchObject({ id: answer.command, by: 'olga@shop', from: 'http 127.0.0.1' })
  })

  test('no word of a job: what a payload says is data', async () => {
    const job = await tasks.mail.send.enqueue('{"verb":"shutdown","args":{"now":true}}')

    await until(async () => (await job.status()).state === 'succeeded', { timeoutMs: 30_000 })
    expect((await get(scene, '/inspect/ping')).body.replies).toHaveLength(1)
  })
})
