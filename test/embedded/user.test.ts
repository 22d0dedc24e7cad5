import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../support/until.js'
import {
  buildApp,
  isRoot,
  keepersOf,
  makeApp,
  nobody,
  placeOf,
  query,
  runOnce,
  serversOf,
  startApp,
  tidy,
  untilStopped,
} from './lab.js'

let app: string

beforeAll(async () => {
  app = await buildApp()
})
afterEach(tidy)

describe.runIf(isRoot)('started by root', () => {
  test('the server runs as another user', async () => {
    const root = makeApp()
    await startApp(app, root).url()

    const [server = 0] = serversOf(root)

    expect(userOf(server)).not.toBe(0)
  })

  test('an app in a folder that only root can enter has its data elsewhere, and a note of it', async () => {
    const root = makeApp({ parentMode: '700', modules: 'own' })
    const web = startApp(app, root)
    const url = await web.url()
    await query(url, 'CREATE TABLE kept AS SELECT 1 AS n')

    const place = placeOf(root)

    expect(place).not.toBe(join(root, '.celeriac'))
    expect(statSync(place).uid).toBe(0)
    expect(web.said[0]?.info).toMatch(`Preparing a private PostgreSQL in ${place}`)
    expect(web.said[0]?.info).toMatch(/user "\w+", which it runs as, cannot reach/)
    expect(existsSync(join(root, '.celeriac/postgres'))).toBe(false)
    expect(readFileSync(join(root, '.celeriac/location.json'), 'utf8')).toContain(place)

    web.tell('end')
    await untilStopped(root)
    expect(await startApp(app, root).url()).toBe(url)
    expect(await query(url, 'SELECT n FROM kept')).toEqual([{ n: 1 }])
  })

  test('a folder that someone else laid out among the temporary ones is refused', async () => {
    const root = makeApp({ parentMode: '700' })
    await runOnce(app, root)
    const place = placeOf(root)

    execFileSync('chown', [String(nobody.uid), place])

    expect((await startApp(app, root).outcome()).error).toContain(`${place} is needed`)
  })

  test('an app of a normal user keeps one server for both', async () => {
    const root = makeApp({ owner: nobody })
    const byRoot = startApp(app, root)
    const url = await byRoot.url()
    const [server = 0] = serversOf(root)
    expect(userOf(server)).toBe(nobody.uid)
    await query(url, 'CREATE TABLE kept AS SELECT 1 AS n')

    expect(await startApp(app, root, { user: nobody }).url()).toBe(url)

    await byRoot.kill()
    for (const pid of keepersOf(root)) process.kill(pid, 'SIGKILL')
    await until(() => keepersOf(root).some((pid) => userOf(pid) === nobody.uid))
    expect(await query(url, 'SELECT n FROM kept')).toEqual([{ n: 1 }])
    expect(serversOf(root)).toEqual([server])
  })

  test('data that a normal user made is used as that user', async () => {
    const root = makeApp({ owner: nobody })
    const byUser = startApp(app, root, { user: nobody, lingerMs: 0 })
    const url = await byUser.url()
    byUser.tell('end')
    await untilStopped(root)

    expect(await startApp(app, root).url()).toBe(url)
    expect(userOf(serversOf(root)[0] ?? 0)).toBe(nobody.uid)
  })

  test('a user without a name is told what PostgreSQL lacks', async () => {
    const stranger = { uid: 54_321, gid: 54_321 }
    const root = makeApp({ owner: stranger })

    const { error } = await startApp(app, root, { user: stranger }).outcome()

    expect(error).toContain('needs a user with a name')
    expect(error).toContain('could not look up effective user ID 54321')
  })
})

describe('started by a normal user', () => {
  const user = isRoot ? { user: nobody } : {}

  test('the server runs as that user, and all files are its own', async () => {
    const root = makeApp(isRoot ? { owner: nobody } : {})
    const web = startApp(app, root, user)
    const url = await web.url()

    expect(await query(url, 'SELECT 1 AS n')).toEqual([{ n: 1 }])
    expect(userOf(serversOf(root)[0] ?? 0)).toBe(statSync(root).uid)
    expect(statSync(join(root, '.celeriac/postgres/server.json')).uid).toBe(statSync(root).uid)
  })

  test('processes that start at the same moment share one server, and survive the loss of all of it', async () => {
    const root = makeApp(isRoot ? { owner: nobody } : {})
    const processes = [1, 2, 3].map(() => startApp(app, root, user))
    const [url = ''] = new Set(await Promise.all(processes.map((process) => process.url())))
    await query(url, 'CREATE TABLE kept AS SELECT 1 AS n')
    const servers = serversOf(root)

    for (const pid of [...keepersOf(root), ...servers]) process.kill(pid, 'SIGKILL')

    const rows = await until(() => query(url, 'SELECT n FROM kept').catch(() => undefined))
    expect(rows).toEqual([{ n: 1 }])
    expect(serversOf(root)).toHaveLength(1)
  })
})

function userOf(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'uid=', '-p', String(pid)], { encoding: 'utf8' }))
}
