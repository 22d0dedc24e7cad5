import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test, vi } from 'vitest'
import { freshServers, type Servers } from '../support/lab.js'
import { until } from '../support/until.js'
import { startWorkerProcess } from '../support/worker-process.js'
import { root, runCeleriac } from './command-line.js'

vi.setConfig({ testTimeout: 600_000 })

const run = promisify(execFile)
const app = 'test/fixtures/desk'
const nowhere = { database: 'postgres://127.0.0.1:1/none' }

/** A folder in which `celeriac` is a command, as npm makes one. */
const folder = mkdtempSync(join(tmpdir(), 'celeriac-bin-'))
symlinkSync(join(root, 'dist/cli/main.js'), join(folder, 'celeriac'))

describe('in bash', () => {
  test('completes commands, flags, and values of flags', async () => {
    expect(await inBash('celeriac', 'qu')).toEqual(['queues'])
    expect(await inBash('celeriac', 'limit', '')).toEqual(['list', 'set', 'reset', 'help'])
    expect(await inBash('celeriac', 'result', '--')).toEqual(
      expect.arrayContaining(['--wait', '--stack', '--json', '--app', '--env-file']),
    )
    expect(await inBash('celeriac', 'events', '--type', 'worker.')).toEqual([
      ...['worker.started', 'worker.stopped', 'worker.lost'],
    ])
    expect(await inBash('celeriac', 'completion', '')).toEqual(['bash', 'zsh', 'fish'])
    expect(await inBash('celeriac', 'nothing', 'like', 'it')).toEqual([])
  })

  test('completes names of tasks, queues and workers, also behind =', async () => {
    const servers = await freshServers('postgres')
    await startWorkerProcess({ ...servers, app, args: ['-n', 'desk'] })
    // Who types waits for some seconds at most, which a busy machine may need for less.
    const complete = (...words: string[]) =>
      until(
        async () => {
          const names = await inBashOn(servers, ['celeriac', '-A', app, ...words])
          return names.length > 0 && names
        },
        { timeoutMs: 120_000 },
      )

    expect(await complete('call', 'mail')).toEqual(['mail.send'])
    expect(await complete('call', 'work.add', '--queue', '')).toEqual(['default', 'mail'])
    expect(await complete('limit', 'set', '--task', '=', 'work.f')).toEqual(['work.fail', 'work.flaky'])
    expect(await complete('inspect', 'ping', '-d', 'de')).toEqual(['desk'])
  })

  test('takes the names of tasks from the code while the servers are away', async () => {
    expect(await inBashOn(nowhere, ['celeriac', 'call', '-A', app, 'work.re'])).toEqual(['work.rest'])
  })
})

describe.each(['bash', 'zsh', 'fish'])('the script for %s', (shell) => {
  test.skipIf(!has(shell))('is one that it can read', async () => {
    const { code, out } = await runCeleriac(['completion', shell])

    expect(code).toBe(0)
    const { stderr } = await run(shell, shell === 'fish' ? ['--no-execute', '-c', out] : ['-n', '-c', out])
    expect(stderr).toBe('')
  })
})

test('a shell that nobody knows is refused', async () => {
  const { code, err } = await runCeleriac(['completion', 'tcsh'])

  expect(code).toBe(2)
  expect(err).toContain('Allowed choices are bash, zsh, fish')
})

const inBash = (...words: string[]) => inBashOn(nowhere, words)

/** What bash would offer for the last word. */
async function inBashOn({ database }: Servers, words: readonly string[]): Promise<string[]> {
  const script = `
source <(celeriac completion bash)
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
COMP_CWORD=${words.length - 1}
_celeriac_complete
printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout } = await run('bash', ['--norc', '-c', script], {
    cwd: root,
    env: {
      ...process.env,
      NODE_ENV: 'development',
      PATH: `${folder}${delimiter}${process.env.PATH}`,
      CELERIAC_DATABASE_URL: database,
      CELERIAC_BROKER_URL: database,
    },
  })
  return stdout.split('\n').filter((line) => line !== '')
}

function has(shell: string): boolean {
  try {
    execFileSync(shell, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
