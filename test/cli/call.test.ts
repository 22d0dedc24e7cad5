import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { rowsOf } from '../enqueue/rows.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs } from '../support/lab.js'
import { startWorkerProcess } from '../support/worker-process.js'
import { commandLine, type Ran } from './command-line.js'

closeJobsAfterEach()
// Each test starts processes, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 600_000 })

const app = 'test/fixtures/desk'
const idLine = /^[0-9a-f-]{36}\n$/

describe.each(brokers)('celeriac call, with the broker on %s', (kind) => {
  test('prints the id of a job that a worker then runs, and result prints what it gave', async () => {
    const servers = await freshServers(kind)
    const celeriac = commandLine(servers, app)
    await startWorkerProcess({ ...servers, app })

    const called = await celeriac(['call', 'work.add', '--payload', '{"a":2,"b":3}'])

    expect(called).toMatchObject({ code: 0, err: '', out: expect.stringMatching(idLine) })
    const result = await celeriac(['result', called.out.trim(), '--wait', '1m'])
    expect(result).toEqual({ code: 0, out: '5\n', err: '' })
  })

  test('waits for the result, and exits by it', async () => {
    const servers = await freshServers(kind)
    const celeriac = commandLine(servers, app)
    await startWorkerProcess({ ...servers, app })

    const sent = await celeriac(['call', 'mail.send', '--payload', '{"to":"ada"}', '--wait'])
    const failed = await celeriac(['call', 'work.fail', '--payload', '"no paper"', '--wait', '1m'])
    const nothing = await celeriac(['call', 'work.nothing', '--wait', '1m'])

    expect(sent).toMatchObject({ code: 0, out: '"sent 1 to ada"\n', err: expect.stringMatching(idLine) })
    expect(failed).toMatchObject({ code: 3, out: '' })
    expect(failed.err).toMatch(/^Job .* \(work\.fail\) has failed: TypeError: no paper$/m)
    expect(nothing).toMatchObject({ code: 0, out: 'null\n' })
  })
})

describe('celeriac call', () => {
  test('takes every option of a job, and Celery’s words for some', async () => {
    const { celeriac, rowOf } = await desk()
    const flags = '--delay 1h --expires 2h --queue slow --priority 7 --attempts 9 --time-limit 5s'
    const more = ['--tag', 'a,b', '--tag', 'c', '--owner', 'ada', '--idempotency-key', 'once']

    const first = await celeriac(['call', 'work.rest', '--payload', '5', ...flags.split(' '), ...more])
    const again = await celeriac(['call', 'work.rest', '--payload', '5', ...flags.split(' '), ...more])
    const celery = await celeriac(['call', 'work.rest', '-k', '5', '--countdown', '90'])
    const later = await celeriac(['call', 'work.rest', '--payload', '5', '--eta', '2099-01-31T08:00:00Z'])

    expect(await rowOf(first)).toMatchObject({
      ...{ payload: '5', state: 'scheduled', queue: 'slow', priority: 7, max_attempts: 9, owner: 'ada' },
      ...{ tags: ['a', 'b', 'c'], idempotency_key: 'once', options: expect.stringContaining('5000') },
    })
    expect(again.out).toBe(first.out)
    expect(again.err).toContain('It was there before')
    const counted = await rowOf(celery)
    expect(Number(counted?.run_at) - Number(counted?.created_at)).toBe(90_000)
    expect((await rowOf(later))?.run_at).toEqual(new Date('2099-01-31T08:00:00Z'))
  })

  test('reads the payload from standard input and from a file', async () => {
    const { celeriac, rowOf } = await desk()
    const file = join(tmpdir(), `payload-${randomUUID()}.json`)
    writeFileSync(file, '{"a":1,"b":2}')

    const piped = await celeriac(['call', 'work.add', '--payload', '-'], { input: '{"a":3,"b":4}' })
    const read = await celeriac(['call', 'work.add', '--payload', `@${file}`])

    expect((await rowOf(piped))?.payload).toBe('{"a":3,"b":4}')
    expect((await rowOf(read))?.payload).toBe('{"a":1,"b":2}')
  })

  test('refuses a payload that does not fit, and says what is wrong with it', async () => {
    const { celeriac } = await desk()

    const missing = await celeriac(['call', 'mail.send', '--payload', '{"copies":"two"}'])
    const noJson = await celeriac(['call', 'mail.send', '--payload', '{to:ada}'])
    const noFile = await celeriac(['call', 'mail.send', '--payload', '@nowhere.json'])

    expect(missing).toMatchObject({ code: 2, out: '' })
    expect(missing.err).toMatch(/Invalid payload for task "mail.send": to: .*; copies: /)
    expect(noJson).toMatchObject({ code: 2, out: '' })
    expect(noJson.err).toContain('--payload must be JSON, and is: {to:ada}')
    expect(noFile).toMatchObject({ code: 1, out: '' })
    expect(noFile.err).toContain('--payload @nowhere.json: the file cannot be read.')
  })

  test('says the nearest name of an unknown task, and that a list of arguments is no payload', async () => {
    const { celeriac } = await desk()

    const typo = await celeriac(['call', 'mail.sned'])
    const args = await celeriac(['call', 'work.add', '-a', '[1,2]'])
    const twice = await celeriac(['call', 'work.add', '--delay', '1s', '--countdown', '1'])
    const soon = await celeriac(['call', 'work.add', '--delay', 'soon'])
    const key = await celeriac(['call', 'work.add', '--run-at', 'tomorrow'])

    expect(typo).toMatchObject({ code: 4, out: '' })
    expect(typo.err).toContain('Did you mean "mail.send"?')
    expect(args.err).toContain("say --payload '[1,2]' if the task takes a list")
    expect(args.code).toBe(1)
    expect(twice.code).toBe(2)
    expect(soon).toMatchObject({ code: 2, err: expect.stringContaining('soon') })
    expect(key.err).toContain('--run-at takes a time such as 2030-01-31T08:00:00Z')
  })

  test('needs no code of the task where workers have announced it', async () => {
    const servers = await freshServers('postgres')
    const celeriac = commandLine(servers)
    const folder = tmpdir()
    await startWorkerProcess({ ...servers, app })

    const called = await celeriac(['call', 'mail.deliver', '--payload', '{"to":"ada"}', '--wait'], { folder })
    const typo = await celeriac(['call', 'mail.delver'], { folder })
    const unfit = await celeriac(['call', 'mail.send', '--payload', '{}', '--wait'], { folder })

    expect(called).toMatchObject({ code: 0, out: '"sent 1 to ada"\n' })
    expect(typo).toMatchObject({ code: 4, err: expect.stringContaining('Did you mean "mail.deliver"?') })
    expect(unfit).toMatchObject({ code: 3, err: expect.stringContaining('PayloadInvalidError') })
  })

  test('prints one document with --json', async () => {
    const { celeriac } = await desk()

    const called = await celeriac(['call', 'work.nothing', '--json'])

    expect(JSON.parse(called.out)).toEqual({ id: expect.any(String), task: 'work.nothing', created: true })
  })
})

/** An app's command line without workers, and a look at its rows. */
async function desk() {
  const servers = await freshServers('postgres')
  await openJobs({ ...servers, deadline: '60s' })
  const rowOf = async ({ out }: Ran) => {
    const rows = await rowsOf<Row>(servers, `SELECT * FROM celeriac.job WHERE id = '${out.trim()}'`)
    return rows[0]
  }
  return { celeriac: commandLine(servers, app), rowOf }
}

interface Row {
  readonly payload: string
  readonly run_at: Date
  readonly created_at: Date
}
