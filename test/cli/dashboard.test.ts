import { chmodSync } from 'node:fs'
import { createServer } from 'node:http'
import { get } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { hashPassword, isPassword, readHash } from '../../src/dashboard/login/password.js'
import { certificateFiles } from '../dashboard/login/round-robin.js'
import { closeJobsAfterEach, openJobs, type Servers } from '../support/lab.js'
import { freshDatabase } from '../support/servers.js'
import { celeriacFor } from './celeriac.js'
import { commandLine, runCeleriac } from './command-line.js'
import { startCeleriac } from './long-command.js'
import { makeSmallApp } from './small-app.js'

closeJobsAfterEach()
vi.setConfig({ testTimeout: 180_000 })

let servers: Servers

const oidcFlags = [
  ...['--oidc-issuer', 'https://id.test', '--oidc-client-id', 'x', '--oidc-default-role', 'viewer'],
]

beforeEach(async () => {
  servers = { database: await freshDatabase() }
  await openJobs({ ...servers, tasks: {}, deadline: '20s' })
})

function start(args: readonly string[], folder?: string, variables: Readonly<Record<string, string>> = {}) {
  return startCeleriac(['dashboard', ...args], {
    folder: folder ?? 'test/fixtures/crew',
    variables: {
      CELERIAC_DATABASE_URL: servers.database,
      CELERIAC_BROKER_URL: servers.database,
      ...variables,
    },
  })
}

/** One that listens, and where. */
async function opened(...started: Parameters<typeof start>) {
  const dashboard = start(...started)
  await dashboard.prints('The dashboard is at ')
  const [, url = ''] = /is at (\S+)/.exec(dashboard.output()) ?? []
  return { ...dashboard, url }
}

describe('celeriac dashboard', () => {
  test('serves the pages by itself, on this machine, until it is told to stop', async () => {
    const dashboard = start(['--port', '0'])
    await dashboard.prints('The dashboard is at ')
    const [, url = ''] = /is at (http:\/\/127\.0\.0\.1:\d+\/)/.exec(dashboard.output()) ?? []

    const page = await fetch(url)

    expect(page.status).toBe(200)
    expect(await page.text()).toContain('<html')
    dashboard.signal('SIGTERM')
    expect(await dashboard.ended).toBe(0)
  })

  test('to other machines it wants to know who may see it', async () => {
    const celeriac = celeriacFor(servers)

    const { code, err } = await celeriac('dashboard', '--port', '0', '--host', '0.0.0.0')

    expect(code).toBe(1)
    expect(err).toContain(
      'CELERIAC_DASHBOARD_BASIC_AUTH="ann:secret:admin", --basic-auth-file, --oidc-issuer',
    )
  })

  test('and asks then whom the config asks', async () => {
    const config = `import { defineConfig } from 'celeriac'
export default defineConfig({ modules: 'modules/*', authorize: (req) => req.get('authorization') === 'Bearer ada' })`
    const tasks = `import { defineTask } from 'celeriac'\nexport const none = defineTask(async () => 1)`
    const folder = makeSmallApp({ 'celeriac.config.js': config, 'modules/work/tasks.js': tasks })
    const dashboard = start(['--port', '0', '--host', '0.0.0.0', '--json'], folder)
    await dashboard.prints('"url"')
    const [, port = ''] = /:(\d+)\/"/.exec(dashboard.output()) ?? []

    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(403)
    const known = await fetch(`http://127.0.0.1:${port}/`, { headers: { authorization: 'Bearer ada' } })
    expect(known.status).toBe(200)
  })

  test('by name and password comes in who stands in the environment or in a file', async () => {
    const file = join(
      makeSmallApp({ 'users.txt': `# the team\nbob:${await hashPassword('other')}:viewer\n` }),
      'users.txt',
    )
    chmodSync(file, 0o600)
    const variables = { CELERIAC_DASHBOARD_BASIC_AUTH: 'ann:secret:admin' }
    const args = ['--port', '0', '--host', '0.0.0.0', '--basic-auth-file', file]
    const dashboard = await opened(args, undefined, variables)
    await dashboard.prints('ann (admin), bob (viewer)')
    const url = dashboard.url.replace('0.0.0.0', '127.0.0.1')
    const me = async (login?: string) => {
      const headers = login === undefined ? {} : { Authorization: `Basic ${btoa(login)}` }
      const answer = await fetch(`${url}api/me`, { headers })
      return answer.ok ? ((await answer.json()) as { name: string }).name : answer.status
    }

    expect(await me()).toBe(401)
    expect(await me('ann:other')).toBe(401)
    expect(await me('ann:secret')).toBe('ann')
    expect(await me('bob:other')).toBe('bob')
    const pause = await fetch(`${url}api/control/pause`, {
      method: 'POST',
      headers: {
        ...{ Authorization: `Basic ${btoa('bob:other')}`, 'Sec-Fetch-Site': 'same-origin' },
        'Content-Type': 'application/json',
      },
      body: '{"queue":"mail"}',
    })
    expect([pause.status, ((await pause.json()) as { code: string }).code]).toEqual([403, 'FORBIDDEN'])
    expect((await fetch(`${url}healthcheck`)).status).toBe(200)
    await dashboard.prints('has signed in')
  })

  test('a password is hashed for that file', async () => {
    const { code, out } = await runCeleriac(['dashboard', '--hash-password'], {
      input: 'correct horse\n',
    })
    const hash = readHash(out.trim())

    expect(code).toBe(0)
    expect(hash && (await isPassword('correct horse', hash))).toBe(true)
  })

  test.each<[string, string[], Record<string, string>, RegExp]>([
    ['a password in the command line', ['--basic-auth', 'ann:hunter2'], {}, /seen by all.*--basic-auth-file/],
    ["Flower's flag", ['--address', '0.0.0.0'], {}, /--address: say --host/],
    [
      'an entry without a role',
      [],
      { CELERIAC_DASHBOARD_BASIC_AUTH: 'ann:secret' },
      /Entry 1 .* name:password:role/,
    ],
    ['a file that is not there', ['--basic-auth-file', '/nowhere/users'], {}, /cannot be read/],
    ['a certificate alone', ['--tls-cert', 'cert.pem'], {}, /say both/],
    ['a provider without a client', ['--oidc-issuer', 'https://id.test'], {}, /clientId/],
    [
      'nobody let in',
      ['--oidc-issuer', 'https://id.test', '--oidc-client-id', 'x'],
      {},
      /would let nobody in/,
    ],
    ['no secret', oidcFlags, {}, /CELERIAC_DASHBOARD_OIDC_CLIENT_SECRET/],
    ['a short secret', oidcFlags, { CELERIAC_DASHBOARD_SECRET: 'short' }, /32 characters or more/],
    [
      'no public address',
      [...oidcFlags, '--host', '0.0.0.0'],
      { CELERIAC_DASHBOARD_SECRET: 's'.repeat(32) },
      /--public-url https/,
    ],
    [
      'a public address without TLS',
      ['--public-url', 'http://jobs.test'],
      {},
      /must be an https:\/\/ address/,
    ],
    ['a role that is none', [...oidcFlags, '--oidc-role', 'a=root'], {}, /one of viewer, operator, admin/],
    ['a pattern without an end', [...oidcFlags, '--oidc-allow', '*@*.com'], {}, /an e-mail address/],
  ])('%s is refused with what to do instead', async (_what, args, variables, message) => {
    const { code, err } = await commandLine(servers, 'test/fixtures/crew')(
      ['dashboard', '--port', '0', ...args],
      {
        variables,
      },
    )

    expect(code).toBe(1)
    expect(err).toMatch(message)
    expect(err).not.toMatch(/hunter2|"short"/)
  })

  test('below a prefix, and by TLS', async () => {
    const { cert, key } = certificateFiles()
    const tls = ['--tls-cert', cert, '--tls-key', key]
    const dashboard = await opened(['--port', '0', '--url-prefix', 'jobs', ...tls])
    const ask = (path: string) =>
      new Promise<{ status: number | undefined; location: string | undefined }>((resolve, reject) => {
        get(new URL(path, dashboard.url), { rejectUnauthorized: false, agent: false }, (answer) => {
          answer.resume()
          resolve({ status: answer.statusCode, location: answer.headers.location })
        }).on('error', reject)
      })

    expect(dashboard.url).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/jobs\/$/)
    expect(await ask('/jobs/')).toEqual({ status: 200, location: undefined })
    expect(await ask('/')).toEqual({ status: 302, location: '/jobs/' })
    expect((await ask('/else')).status).toBe(404)
    expect((await ask('/jobs/healthcheck')).status).toBe(200)
  })

  test('says when its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    onTestFinished(() => void other.close())
    await new Promise((resolve) => other.once('listening', resolve))
    const { port } = other.address() as AddressInfo

    const { code, err } = await celeriacFor(servers)('dashboard', '--port', String(port))

    expect(code).toBe(1)
    expect(err).toContain(`Port ${port} is taken. Say another: --port ${port + 1}`)
  })
})
