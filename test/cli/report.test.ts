import { expect, test, vi } from 'vitest'
import { brokers, freshServers } from '../support/lab.js'
import { newEffects, startWorkerProcess } from '../support/worker-process.js'
import { celeriacFor } from './celeriac.js'

vi.setConfig({ testTimeout: 180_000 })

test.each(brokers)(
  'celeriac report names versions, servers, tables, workers and options, with %s',
  async (kind) => {
    const servers = await freshServers(kind)
    await startWorkerProcess({ ...servers, effects: newEffects().file, args: ['-n', 'mail@one', '-c', '3'] })
    const celeriac = celeriacFor(servers)

    const [{ code, out, err }, asJson] = await Promise.all([celeriac('report'), celeriac('report', '--json')])

    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^versions\n {2}celeriac: \d+\.\d+\.\d+\n {2}node: v/)
    expect(out).toMatch(/bullmq: \d+/)
    expect(out).toMatch(/store: PostgreSQL \d+/)
    expect(out).toMatch(kind === 'redis' ? /broker: Redis \d+/ : /broker: PostgreSQL/)
    expect(out).toMatch(/tables: up to date \(\d+_jobs\)/)
    expect(out).toMatch(/mail@one \(live\): celeriac .*3 at once, queues default/)
    expect(out).toContain('work.quick')
    expect(out).toContain('leaseMs: 2000')
    const { password } = new URL(servers.database)
    if (password) expect(out).not.toContain(password)
    expect(JSON.parse(asJson.out)).toMatchObject({
      versions: { node: process.version },
      workers: [{ name: 'mail@one', state: 'live' }],
    })
  },
)

test('what cannot be reached is in the report, too, without its password', async () => {
  const { code, out } = await celeriacFor({ database: 'postgres://ada:secret@127.0.0.1:1/none' })('report')

  expect(code).toBe(0)
  expect(out).toMatch(/store: PostgreSQL: .*127\.0\.0\.1/)
  expect(out).not.toContain('secret')
})
