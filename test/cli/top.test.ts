import { spawn } from 'node:child_process'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { drawFrame, firstView } from '../../src/cli/top/frame.js'
import type { Sample } from '../../src/cli/top/sample.js'
import type { Celeriac } from '../../src/plugin.js'
import { closeJobsAfterEach, openJobs, type Servers } from '../support/lab.js'
import { freshDatabase } from '../support/servers.js'
import { until } from '../support/until.js'
import { newEffects, startWorkerProcess } from '../support/worker-process.js'
import { celeriacFor } from './celeriac.js'
import { root } from './command-line.js'

closeJobsAfterEach()
vi.setConfig({ testTimeout: 180_000 })

const rates = { enqueued: 3.25, started: 120, ended: 0, failed: 0 }

function sampleOf(number: number): Sample {
  const names = Array.from({ length: number }, (_, at) => `${at}`.padStart(3, '0'))
  return {
    at: new Date(),
    status: 'degraded',
    problems: [{ code: 'queue-unserved', message: `Jobs wait. ${'x'.repeat(200)}`, cure: '' }],
    queues: names.map((name, at) => ({
      ...{
        queue: `queue-with-quite-a-long-name-${name}`,
        waiting: at * 1000,
        delayed: 0,
        running: 1,
        failed: 0,
      },
      ...{ oldestMs: at === 0 ? null : 90_000, paused: at === 1, workers: ['a@host', 'b@host'] },
      ...{ rateLimit: null, concurrency: null, rates },
    })),
    workers: names.map((name) => ({
      ...{
        name: `press@a-long-host-name-${name}`,
        host: 'host',
        pid: 1,
        state: 'ok' as const,
        concurrency: 8,
      },
      ...{
        running: 3,
        reserved: 1,
        memory: 123_456_789,
        loopDelayMs: 1.5,
        cpu: 0.42,
        load: 1.25,
        upMs: 5_000_000,
      },
    })),
    tasks: names.map((name) => ({ task: `reports.task-${name}`, rates })),
  }
}

describe('a frame', () => {
  test.each([
    [80, 24, 1],
    [80, 24, 40],
    [120, 50, 200],
    [40, 10, 3],
  ])('fits into %i columns and %i rows with %i of everything', (columns, rows, number) => {
    const lines = drawFrame(sampleOf(number), firstView, { columns, rows })

    if (rows >= 20) expect(lines.length).toBeLessThanOrEqual(rows)
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(columns)
    expect(lines[0]).toMatch(/^celeriac top {2}degraded/)
  })

  test('has the busiest first, and names what is left out', () => {
    const lines = drawFrame(
      sampleOf(40),
      { ...firstView, queue: 'queue-with-quite-a-long-name-039' },
      { columns: 80, rows: 24 },
    )

    expect(lines[4]).toMatch(/^> queue-wit…\S*-039 +39,000 +0 +1 +90 s +3\.3 +0 +2 workers$/)
    expect(lines.filter((line) => /… and \d+ more/.test(line))).toHaveLength(3)
    expect(lines.at(-1)).toContain('q quit')
  })
})

describe('celeriac top', () => {
  let servers: Servers
  let jobs: Celeriac

  beforeEach(async () => {
    servers = { database: await freshDatabase() }
    jobs = await openJobs({
      ...servers,
      tasks: undefined as never,
      deadline: '20s',
      root: process.cwd(),
      modules: 'test/fixtures/crew/modules/*',
    })
  })

  test('where there is no terminal prints one frame, or one document', async () => {
    await jobs.enqueue('work.quick', undefined, { queue: 'mail' })
    await startWorkerProcess({
      ...servers,
      effects: newEffects().file,
      args: ['-n', 'mail@one', '-c', '3', '-Q', 'default'],
    })
    const celeriac = celeriacFor(servers)
    await until(async () => (await jobs.inspect.workers()).some(({ reportedAt }) => reportedAt !== null))

    const { code, out } = await celeriac('top')

    expect(code).toBe(0)
    expect(out).toMatch(/^celeriac top {2}\w+ {2}1 worker {2}0\/3 slots {2}in 0 {2}out 0 {2}failed 0 \/s/)
    expect(out).toMatch(/mail +1 +0 +0 .* nobody/)
    expect(out).toMatch(/mail@one +ok +0\/3/)
    expect(out).toMatch(/work\.quick +0 +0 +0 +0/)
    expect(out).not.toContain('\u001b')
    expect(JSON.parse((await celeriac('top', '--json')).out)).toMatchObject({
      queues: expect.arrayContaining([expect.objectContaining({ queue: 'mail', waiting: 1 })]),
      workers: [{ name: 'mail@one', concurrency: 3 }],
    })
  })

  test('on a terminal it draws itself anew, heeds keys and size, and leaves the terminal as it was', async () => {
    await jobs.enqueue('work.quick', undefined, { queue: 'mail' })
    const terminal = openTerminal(servers, ['top', '--interval', '500ms'])

    await terminal.shows('QUEUE')
    expect(terminal.output()).toContain('\u001b[?1049h')
    await terminal.shows('work.quick')
    const frames = terminal.output().split('celeriac top').length
    await until(() => terminal.output().split('celeriac top').length > frames + 2)

    terminal.press('\u001b[B')
    await terminal.shows('> mail')
    terminal.press('p')
    await terminal.shows('Pause "mail" for all workers? y/n')
    terminal.press('y')
    await terminal.shows('Paused "mail".')
    await terminal.shows('PAUSED')
    terminal.press('\u001b[C')
    await terminal.shows('sort: rate')

    terminal.press('q')
    expect(await terminal.ended).toBe(0)
    const [, after = ''] = terminal.output().split('\u001b[?1049l')
    expect(after).not.toContain('celeriac top')
    expect(terminal.output().lastIndexOf('\u001b[?25h')).toBeGreaterThan(
      terminal.output().lastIndexOf('\u001b[?25l'),
    )
  })
})

/** A terminal of 80 by 24, which `script` of util-linux pretends to be. */
function openTerminal({ database }: Servers, args: readonly string[]) {
  const command = `stty cols 80 rows 24; exec ${process.execPath} ${root}/dist/cli/main.js ${args.join(' ')}`
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    cwd: `${root}/test/fixtures/crew`,
    env: {
      ...process.env,
      NODE_ENV: 'development',
      TERM: 'xterm',
      CELERIAC_DATABASE_URL: database,
      CELERIAC_BROKER_URL: database,
    },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  return {
    output: () => output,
    press: (keys: string) => void child.stdin.write(keys),
    async shows(text: string) {
      await until(() => output.includes(text), { timeoutMs: 30_000 }).catch(() => {
        throw new Error(`It never showed "${text}":\n${output.slice(-3000)}`)
      })
    },
    ended: new Promise((resolve) => child.once('close', resolve)),
  }
}
