import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'
import { celeriac } from '../../src/plugin.js'
import { freshServers, ready } from '../support/lab.js'

const root = fileURLToPath(new URL('../fixtures/pools', import.meta.url))

// What the tests of this package run, and what `tsx` runs: children of sources are sources, too.
vi.stubEnv('TSX_TSCONFIG_PATH', fileURLToPath(new URL('../../tsconfig.json', import.meta.url)))

test.each(['thread', 'process'] as const)(
  'an app that runs from TypeScript has children that do: a %s',
  async (pool) => {
    const servers = await freshServers('postgres')
    const worker = { pool, concurrency: 1 }
    const jobs = celeriac({ ...servers, root, modules: 'modules/*', logger: 'silent', worker })
    onTestFinished(() => jobs.close())
    await ready(jobs)

    const job = await jobs.enqueue('work.softLimited')

    await expect(job.result({ timeout: '100s' })).rejects.toThrow('time limit of 300 ms')
  },
  120_000,
)
