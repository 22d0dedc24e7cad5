import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { closeJobsAfterEach, openJobs, type Servers } from '../support/lab.js'
import { freshDatabase } from '../support/servers.js'
import { celeriacFor } from './celeriac.js'
import { startCeleriac } from './long-command.js'
import { makeSmallApp } from './small-app.js'

closeJobsAfterEach()
vi.setConfig({ testTimeout: 180_000 })

let servers: Servers

beforeEach(async () => {
  servers = { database: await freshDatabase() }
  await openJobs({ ...servers, tasks: {}, deadline: '20s' })
})

function start(args: readonly string[], folder?: string) {
  return startCeleriac(['dashboard', ...args], {
    folder: folder ?? 'test/fixtures/crew',
    variables: { CELERIAC_DATABASE_URL: servers.database, CELERIAC_BROKER_URL: servers.database },
  })
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
    expect(err).toContain('Say in the config who may: authorize: (req) => …')
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
