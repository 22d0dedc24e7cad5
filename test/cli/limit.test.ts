import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test, vi } from 'vitest'
import { freshServers } from '../support/lab.js'

vi.setConfig({ testTimeout: 120_000 })
const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

test('celeriac limit sets, lists and resets what holds', async () => {
  const { database } = await freshServers('postgres')
  const celeriac = async (...args: string[]) => {
    const env = {
      ...process.env,
      NODE_ENV: 'development',
      CELERIAC_DATABASE_URL: database,
      CELERIAC_BROKER_URL: database,
    }
    const all = ['dist/cli/main.js', 'limit', ...args, '-A', 'test/fixtures/limits']
    const { stdout } = await run(process.execPath, all, { cwd: root, env })
    return stdout
  }

  await celeriac('set', '--task', 'work.paced', '--rate', '10/s', '--concurrency', '4', '--by', 'ada')
  expect(await celeriac('list')).toMatch(/work\.paced +10\/s +4 +- +0 +0 +ada, /)
  expect(await celeriac('reset', '--task', 'work.paced')).toBe('Reset.\n')
  expect(await celeriac('list')).toMatch(/work\.paced +50\/s +- +- +0 +0 +-/)
  await expect(celeriac('set', '--task', 'work.pacde', '--rate', '1/s')).rejects.toThrow(
    'Did you mean "work.paced"?',
  )
})
