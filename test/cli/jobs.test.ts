import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { v7 as uuidv7 } from 'uuid'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import type { Celeriac } from '../../src/plugin.js'
import { defineTask } from '../../src/task/define.js'
import { closeJobsAfterEach, openJobs } from '../support/lab.js'
import { scratchFolder } from '../support/scratch.js'
import { freshDatabase } from '../support/servers.js'
import { until } from '../support/until.js'
import { commandLine, type Ran, root } from './command-line.js'
import { celeriacHere } from './here.js'

closeJobsAfterEach()
// Each test starts processes, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 })

let database: string
let jobs: Celeriac
let isBroken: boolean
/** In this process; `start` in one of its own. */
let run: (...args: string[]) => Promise<Ran>
let start: (...args: string[]) => Promise<Ran>
let runWith: ReturnType<typeof commandLine>

const send = defineTask(async ({ to }: { to: string }, { log }) => {
  log.info({ to }, 'on its way')
  if (isBroken) throw new RangeError(`${to} is too far`)
  return { sent: to }
})
const rest = defineTask(
  (_: undefined, { signal }) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
)

beforeEach(async () => {
  isBroken = false
  database = await freshDatabase()
  jobs = await openJobs({
    database,
    tasks: { mail: { send, rest } },
    attempts: 1,
    heartbeat: '500ms',
    lease: '20s',
    worker: { queues: ['default', 'slow'] },
  })
  runWith = commandLine({ database })
  run = celeriacHere({ database })
  start = (...args) => runWith(args)
})

async function failed(to: string): Promise<string> {
  isBroken = true
  const job = await jobs.enqueue(send, { to })
  await until(async () => (await job.status()).state === 'failed')
  isBroken = false
  return job.id
}

async function waiting(count: number, queue = 'nobody'): Promise<string[]> {
  const payloads = Array.from({ length: count }, (_, n) => ({ to: `n${n}` }))
  return (await jobs.enqueueMany(send, payloads, { queue })).map(({ id }) => id)
}

const stateOf = async (id: string) => (await jobs.job(id).status()).state
const lines = (text: string) => text.trimEnd().split('\n')

describe('celeriac jobs list', () => {
  test('prints a table, newest first, and where it goes on', async () => {
    const [one = '', two = '', three = ''] = await waiting(3)

    const { code, out, err } = await start('jobs', 'list', '--queue', 'nobody', '--limit', '2')

    expect(code).toBe(0)
    const [head, ...rows] = lines(out)
    expect(head).toMatch(/^id +task +queue +state +created +took +attempt +error$/)
    expect(rows.map((row) => row.split(' ')[0])).toEqual([three, two])
    expect(rows[0]).toMatch(/ mail\.send +nobody +queued +\d{4}-\d\d-\d\dT[\d:.]+Z +- +0\/1 +-$/)
    const cursor = /--cursor (\S+)/.exec(err)?.[1] ?? ''
    const next = await run('jobs', 'list', '--queue', 'nobody', '--limit', '2', '--cursor', cursor)
    expect(next.out).toContain(one)
    expect(next.out).not.toContain(two)
    expect(next.err).toBe('')
  })

  test('finds jobs by what is known of them', async () => {
    const id = await failed('ann')
    await waiting(1)
    const found = async (...flags: string[]) => {
      const { code, out } = await run('jobs', 'list', '--json', ...flags)
      expect(code).toBe(0)
      return out === '' ? [] : lines(out).map((line) => JSON.parse(line).id)
    }

    expect(await found('--state', 'failed')).toEqual([id])
    expect(
      await found('-t', 'mail.send', '-s', 'failed,expired', '--since', '1h', '--ended-since', '1h'),
    ).toEqual([id])
    expect(await found('--error', 'TOO far', '--error-name', 'RangeError', '--min-attempts', '1')).toEqual([
      id,
    ])
    expect(await found('--text', '"ann"', '--max-duration', '1h', '--unowned')).toEqual([id])
    expect(await found('--until', '1h')).toEqual([])
    expect(await found('--owner', 'bob')).toEqual([])
    expect(await found('--tag', 'x', '--worker', 'y')).toEqual([])
  })

  test('finds jobs by a written query, and says how far it looked for text', async () => {
    const id = await failed('ann')
    await waiting(1)

    const { code, out, err } = await run(
      'jobs',
      'list',
      '--json',
      '--query',
      'is:failed payload.to:ann -"bob"',
    )

    expect(code).toBe(0)
    expect(JSON.parse(out).id).toBe(id)
    expect(err).toContain('Text is looked for in jobs of the last 24 hours, since ')
    const wrong = await run('jobs', 'list', '--query', 'stat:failed')
    expect(wrong.code).toBe(1)
    expect(wrong.err).toContain('There is no field "stat", at character 1. Did you mean "state"?')
    const dry = await run('jobs', 'retry', '--dry-run', '--query', 'is:ended ann')
    expect(dry.out).toContain('1 job matches.')
    expect(dry.err).toContain('Further back: --since 30d')
  })

  test('shows the columns that are asked for', async () => {
    await failed('ann')

    const { out } = await run('jobs', 'list', '--columns', 'state,owner,worker,payload,error')

    expect(lines(out)[1]).toMatch(/^failed +- +\S+@?\S* +\{"to":"ann"\} +RangeError: ann is too far$/)
  })

  test('says what to do where there is nothing', async () => {
    expect(await run('jobs', 'list')).toMatchObject({
      code: 0,
      out: '',
      err: expect.stringContaining('There are no jobs. Enqueue one: celeriac call'),
    })
    expect((await run('jobs', 'list', '--state', 'failed')).err).toContain('No job matches.')
  })

  test('what makes no sense is refused', async () => {
    const refused: readonly (readonly [readonly string[], string])[] = [
      [['--state', 'faild'], 'There is no state "faild". Did you mean "failed"?'],
      [['--since', 'yesterday'], '"createdAfter" must be a moment'],
      [['--min-duration', 'long'], '"minDuration" must be a duration'],
      [['--cursor', 'abc'], '"abc" is no cursor'],
      [['--sort', 'up'], '--sort is newest or oldest, not "up"'],
      [['--limit', 'all'], '--limit must be a whole number from 1, and is "all"'],
      [['--columns', 'id,tsk'], 'There is no column "tsk". Did you mean "task"?'],
      [['--parent', '01987a3c'], '"01987a3c" is a part of an id'],
    ]

    for (const [flags, message] of refused)
      expect(await run('jobs', 'list', ...flags), flags.join(' ')).toEqual({
        ...{ code: 1, out: '' },
        err: expect.stringContaining(message),
      })
  })
})

describe('celeriac jobs export', () => {
  const file = () => join(mkdtempSync(join(scratchFolder(), 'export-')), 'jobs.csv')

  test('writes a file, and standard output', async () => {
    const ids = await waiting(250)
    const output = file()

    const { code, out, err } = await start('jobs', 'export', '--queue', 'nobody', '-o', output)

    expect({ code, out }).toEqual({ code: 0, out: '' })
    expect(err).toBe(`250 jobs in ${output}.\n`)
    const [head = '', ...rows] = readFileSync(output, 'utf8').trimEnd().split('\r\n')
    expect(head).toMatch(/^id,task,queue,state,createdAt,/)
    expect(rows.map((row) => row.slice(0, 36)).sort()).toEqual(ids.toSorted())
    const flags = ['--query', 'payload.to:n7', '--format', 'jsonl', '--columns', 'id,payload']
    const piped = await start('jobs', 'export', ...flags)
    expect(piped.out).toBe(`{"id":"${ids[7]}","payload":{"to":"n7"}}\n`)
    expect(piped.err).toContain('Text is looked for in jobs of the last 24 hours, since ')
    expect(piped.err).toContain('1 job.')
  })

  test('says what makes no sense, and touches no file', async () => {
    const output = file()
    writeFileSync(output, 'mine')

    const wrong = await run('jobs', 'export', '--columns', 'idd', '-o', output)
    expect(wrong).toMatchObject({
      code: 1,
      err: expect.stringContaining('There is no column "idd". Did you mean "id"?'),
    })
    expect(await run('jobs', 'export', '--format', 'xml', '-o', output)).toMatchObject({
      err: expect.stringContaining(`"format" must be 'csv' or 'jsonl', and is "xml".`),
    })
    expect(readFileSync(output, 'utf8')).toBe('mine')
    expect(await run('jobs', 'export', '-o', join(output, 'x'))).toMatchObject({
      code: 1,
      err: expect.stringMatching(/--output .* cannot be written: ENOTDIR/),
    })
  })
})

describe('celeriac jobs show', () => {
  test('shows all that is known', async () => {
    const id = await failed('ann')
    await until(async () => (await jobs.job(id).logs()).length > 0)

    const { code, out } = await start('jobs', 'show', id, '--logs')

    expect(code).toBe(0)
    expect(out).toContain(`id          ${id}`)
    expect(out).toMatch(/state {7}failed\n/)
    expect(out).toContain('payload\n{\n  "to": "ann"\n}')
    expect(out).toMatch(/error\nRangeError: ann is too far\n {4}at /)
    expect(out).toMatch(/logs\n\S+Z {2}info {2}1 {2}on its way/)
    const json = JSON.parse((await run('jobs', 'show', id, '--json', '--logs')).out)
    expect(json).toMatchObject({
      id,
      state: 'failed',
      payload: { to: 'ann' },
      logs: [{ message: 'on its way' }],
    })
  })

  test('an unknown id exits with 4, a part of one is told', async () => {
    expect(await start('jobs', 'show', uuidv7())).toMatchObject({
      code: 4,
      err: expect.stringContaining('There is no job'),
    })
    expect(await run('jobs', 'show', '01987a3c-5d')).toMatchObject({
      code: 1,
      err: expect.stringContaining('is a part of an id'),
    })
  })
})

describe('celeriac jobs retry, cancel, delete, run and move', () => {
  test('a retry by filter says how many match, and does it', async () => {
    const ids = [await failed('ann'), await failed('bob')]

    const { code, out, err } = await start(
      'jobs',
      'retry',
      '--state',
      'failed',
      '--since',
      '1h',
      '--yes',
      '--by',
      'eve',
    )

    expect({ code, out, err }).toEqual({ code: 0, out: '2 retried.\n', err: '2 jobs match.\n' })
    for (const id of ids) await until(async () => (await stateOf(id)) === 'succeeded', { timeoutMs: 30_000 })
    expect((await jobs.control.commands(1))[0]).toMatchObject({
      verb: 'retry',
      askedBy: 'eve',
      askedFrom: 'cli',
    })
  })

  test('nothing is done without a yes, or with --dry-run', async () => {
    const [id = ''] = await waiting(3)

    const refused = await start('jobs', 'cancel', '--queue', 'nobody')
    expect(refused).toMatchObject({
      code: 1,
      err: expect.stringContaining('Cancel 3 jobs? Nobody can be asked here: say --yes.'),
    })
    const dry = await run('jobs', 'cancel', '--queue', 'nobody', '--dry-run')
    expect(dry).toMatchObject({ code: 0, out: '3 jobs match. Nothing was done.\n' })
    expect(await stateOf(id)).toBe('queued')
    expect(await jobs.control.commands()).toEqual([])
  })

  test('on a terminal it asks', async () => {
    const [id = ''] = await waiting(3)

    expect(await onTerminal(['jobs', 'cancel', '--queue', 'nobody'], 'n\n')).toMatch(
      /Cancel 3 jobs\? \[y\/N\].*Nothing was done/s,
    )
    expect(await stateOf(id)).toBe('queued')
    expect(await onTerminal(['jobs', 'cancel', '--queue', 'nobody'], 'y\n')).toContain('3 cancelled.')
    expect(await stateOf(id)).toBe('cancelled')
  })

  test('ids come from a pipe', async () => {
    const ids = await waiting(3)
    const unknown = uuidv7()

    const { code, out } = await runWith(['jobs', 'cancel', '-', '--json'], {
      input: `${ids.join('\n')}\n${unknown}\n`,
    })

    expect(code).toBe(4)
    expect(lines(out).map((line) => JSON.parse(line))).toEqual([
      ...ids.map((id) => ({ id, answer: 'cancelled' })),
      { id: unknown, answer: 'unknown' },
    ])
  })

  test('a job is deleted with its log, a running one is left', async () => {
    const id = await failed('ann')
    const running = await jobs.enqueue(rest)
    await until(async () => (await running.status()).state === 'running')

    const { code, out } = await start('jobs', 'delete', id, running.id, '--yes')

    expect(code).toBe(3)
    expect(lines(out)).toEqual([`${id} deleted`, `${running.id} left as it is: its state does not allow it`])
    await expect(stateOf(id)).rejects.toThrow()
    expect(await run('jobs', 'cancel', running.id)).toMatchObject({
      code: 0,
      out: expect.stringContaining('asked to stop'),
    })
  })

  test('what waits in a queue that nobody serves runs elsewhere', async () => {
    const ids = await waiting(20)

    expect(await start('jobs', 'move', '--queue', 'nobody', '--to', 'slow', '-y')).toMatchObject({
      code: 0,
      out: '20 moved.\n',
    })

    for (const id of ids) await until(async () => (await stateOf(id)) === 'succeeded', { timeoutMs: 30_000 })
  })

  test('a delayed job runs now', async () => {
    const { id } = await jobs.enqueue(send, { to: 'ann' }, { delay: '1h' })

    expect(await start('jobs', 'run', id)).toMatchObject({ code: 0, out: `${id} due now\n` })

    await until(async () => (await stateOf(id)) === 'succeeded', { timeoutMs: 30_000 })
  })

  test('what makes no sense is refused', async () => {
    const says = async (args: string[], message: string) =>
      expect(await run('jobs', ...args)).toMatchObject({ code: 1, err: expect.stringContaining(message) })

    await says(['cancel'], 'Say which jobs')
    await says(['cancel', uuidv7(), '--queue', 'a'], 'not both')
    await says(
      ['retry', '--state', 'succeeded', '--yes'],
      '"retry" means jobs that are failed, cancelled or expired',
    )
    await says(['move', '--all'], 'Say where to')
    await says(['move', '--all', '--priority', 'high'], '--priority must be a whole number from 0')
    await says(['move', '--all', '--to', 'a b', '--yes'], 'the name of a queue')
    expect((await run('jobs', 'cancel', '--nonsense')).code).toBe(2)
    expect(await run('jobs', 'cancel', '01987a3c')).toMatchObject({
      code: 4,
      out: expect.stringContaining('part of an id'),
    })
  })

  test('Ctrl-C stops it after a batch, and it says how far it came', async () => {
    const total = 30_000
    for (let at = 0; at < total; at += 15_000)
      await jobs.enqueueMany(
        send,
        Array.from({ length: 15_000 }, () => ({ to: 'x' })),
        { queue: 'nobody' },
      )
    const child = spawn(
      process.execPath,
      ['dist/cli/main.js', 'jobs', 'cancel', '--queue', 'nobody', '--yes', '--json'],
      {
        cwd: root,
        env: { ...process.env, NODE_ENV: 'development', CELERIAC_DATABASE_URL: database },
      },
    )
    let out = ''
    child.stdout.on('data', (chunk) => {
      out += chunk
    })
    const ended = new Promise((resolve) => child.once('close', resolve))
    await until(async () => (await jobs.count({ state: 'cancelled' })).count >= 1000, { timeoutMs: 60_000 })
    child.kill('SIGINT')

    expect(await ended).toBe(3)
    const answer = JSON.parse(out)
    expect(answer).toMatchObject({ isStopped: true, matched: total })
    expect(answer.done).toBeLessThan(total)
    expect(answer.counts.cancelled).toBe((await jobs.count({ state: 'cancelled' }, 100_000)).count)
    expect((await jobs.count({ state: 'queued' }, 100_000)).count).toBe(total - answer.done)
  })
})

describe('celeriac purge', () => {
  test('cancels what waits, of some queues or all but some', async () => {
    const [one = ''] = await waiting(3, 'q1')
    const [two = ''] = await waiting(3, 'q2')
    const [three = ''] = await waiting(3, 'q3')

    expect(await run('purge', '-Q', 'q1')).toMatchObject({
      code: 1,
      err: expect.stringContaining('say --yes'),
    })
    expect(await start('purge', '-Q', 'q1', '-f')).toMatchObject({ code: 0, out: '3 cancelled.\n' })
    expect([await stateOf(one), await stateOf(two)]).toEqual(['cancelled', 'queued'])
    expect(await run('purge', '-X', 'q3', '--yes', '--json')).toMatchObject({
      code: 0,
      out: expect.stringContaining('"cancelled":3'),
    })
    expect([await stateOf(two), await stateOf(three)]).toEqual(['cancelled', 'queued'])
    expect(await run('purge', '--yes')).toMatchObject({ out: '3 cancelled.\n' })
    expect(await run('purge', '--yes')).toMatchObject({ code: 0, err: 'No job matches. Nothing was done.\n' })
  })
})

describe('celeriac prune', () => {
  test('deletes what has ended long enough ago', async () => {
    const id = await failed('ann')
    const [open = ''] = await waiting(1)

    expect(await run('prune', '--yes')).toMatchObject({ code: 0, err: 'No job matches. Nothing was done.\n' })
    expect(await run('prune', '--older-than', '0s', '--state', 'succeeded', '--yes')).toMatchObject({
      err: expect.stringContaining('No job matches'),
    })
    expect(await run('prune', '--older-than', '0s', '--dry-run')).toMatchObject({
      out: '1 job matches. Nothing was done.\n',
    })
    expect(await start('prune', '--older-than', '0s', '-t', 'mail.send', '--yes')).toMatchObject({
      code: 0,
      out: '1 deleted.\n',
    })
    await expect(stateOf(id)).rejects.toThrow()
    expect(await stateOf(open)).toBe('queued')
  })

  test('what makes no sense is refused', async () => {
    expect((await run('prune', '--older-than', 'soon')).err).toContain('--older-than must be a duration')
    expect((await start('prune', '--state', 'queued')).err).toContain('--state of prune names ends')
  })
})

/** `script` of util-linux pretends to be a terminal. */
function onTerminal(args: readonly string[], input: string): Promise<string> {
  const command = [process.execPath, 'dist/cli/main.js', ...args].join(' ')
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'development', CELERIAC_DATABASE_URL: database },
  })
  let out = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString()
    if (out.includes('[y/N]') && !child.stdin.writableEnded) child.stdin.end(input)
  })
  return new Promise((resolve) => child.once('close', () => resolve(out)))
}
