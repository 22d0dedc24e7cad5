import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { type AppProcess, type Ended, makeApp, postAndFollow, startApp } from '../package/app.js'
import { installedPackage } from '../package/tarball.js'
import { brokers } from '../support/lab.js'
import { freshDatabase, freshRedis } from '../support/servers.js'
import { until } from '../support/until.js'
import { type Command, startCommand, startCommandOnTerminal } from './command.js'

// Each test starts processes, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

let folder: string
let servers: Record<string, string>

beforeAll(async () => {
  await installedPackage()
}, 180_000)

beforeEach(async () => {
  folder = await makeApp('pair')
  servers = { DATABASE_URL: await freshDatabase() }
})

describe.each(brokers)('a web process and a worker, with the broker on %s', (kind) => {
  test('run what the other one enqueues', async () => {
    if (kind === 'redis') servers.REDIS_URL = await freshRedis()
    const worker = await startWorker('-Q', 'default')
    const web = await startWeb()

    const there = await postAndFollow(web, { task: 'relay.there' })
    expect(there).toMatchObject({ state: 'succeeded', result: { pid: worker.pid } })

    const back = await fetch(`${web.url}/jobs/${there.result?.next}?wait=10`)
    expect(await back.json()).toMatchObject({ state: 'succeeded', result: { pid: web.pid, text: 'hello' } })
  })
})

describe('it says what it is', () => {
  test('on a terminal by a banner', async () => {
    const worker = startCommandOnTerminal(folder, ['worker', '-c', '4', '-Q', 'default,mail'], servers)
    await worker.prints('is ready')

    expect(worker.output()).toMatch(/celeriac \d+\.\d+\.\d+ {2}celeriac@/)
    expect(worker.output()).toMatch(/concurrency +4/)
    expect(worker.output()).toMatch(/queues +default, mail/)
    for (const task of ['relay.back', 'relay.rest', 'relay.sleep', 'relay.there']) {
      expect(worker.output()).toContain(`· ${task}`)
    }
    expect(worker.output()).not.toContain('secret')
    expect(worker.output()).not.toContain('{"level"')
  })

  test('elsewhere by lines of JSON', async () => {
    const worker = await startWorker('-c', '3', '-Q', 'mail,default', '-n', 'press-%p')

    const lines = worker
      .output()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines).toContainEqual(
      expect.objectContaining({
        msg: `Worker press-${worker.pid} is ready.`,
        concurrency: 3,
        queues: ['mail', 'default'],
        tasks: ['relay.back', 'relay.rest', 'relay.sleep', 'relay.there'],
      }),
    )
    expect(worker.output()).not.toContain('secret')
  })
})

describe('it finds its configuration', () => {
  test('by -A from another folder', async () => {
    const worker = startCommand(await makeApp('javascript'), ['worker', '-A', folder], servers)

    await worker.prints('relay.there')
  })

  test('and its servers in the file that --env-file names', async () => {
    await writeFile(join(folder, 'servers.env'), `DATABASE_URL=${servers.DATABASE_URL}\n`)

    await startCommand(folder, ['worker', '--env-file', 'servers.env']).prints('is ready')
  })

  test('or says where it looked', async () => {
    expect(await failureOf(startCommand(await makeApp('javascript'), ['worker']))).toMatch(
      /No celeriac\.config\.ts .* was found in .*javascript-.*export default defineConfig/s,
    )
  })

  test('or says that -A leads nowhere', async () => {
    expect(await failureOf(startCommand(folder, ['worker', '-A', 'nowhere']))).toContain(
      'nowhere: there is no such file',
    )
  })

  test('or what it threw', async () => {
    await writeFile(join(folder, 'celeriac.config.ts'), `throw new Error('no key in the vault')`)

    expect(await failureOf(startCommand(folder, ['worker']))).toMatch(
      /celeriac\.config\.ts threw while it was loaded: no key in the vault/,
    )
  })
})

describe('it refuses', () => {
  test('a flag that it does not know, with a hint', async () => {
    expect(await failureOf(startCommand(folder, ['worker', '--concurency', '4']), 2)).toMatch(
      /unknown option '--concurency'.*Did you mean --concurrency/s,
    )
  })

  test.each(['many', '0'])('a concurrency of %s', async (concurrency) => {
    expect(
      await failureOf(startCommand(folder, ['worker', `--concurrency=${concurrency}`], servers)),
    ).toContain(`--concurrency must be a whole number from 1, and is "${concurrency}".`)
  })

  test.each([
    ['--loglevel', 'loud', '"logger"'],
    ['--grace', 'soon', '"worker.grace"'],
  ])('%s %s', async (flag, value, message) => {
    expect(await failureOf(startCommand(folder, ['worker', flag, value], servers))).toContain(message)
  })

  // Older Nodes look for this flag themselves, wherever it stands, and end with a code of their own.
  test('an --env-file that is not there', async () => {
    const worker = startCommand(folder, ['worker', '--env-file', 'nowhere.env'], servers)

    expect(await worker.ended).not.toBe(0)
    expect(worker.output()).toContain('nowhere.env')
  })
})

describe('told to stop', () => {
  test('it lets its job finish, and ends well', async () => {
    const web = await startWeb()
    const worker = await startWorker()
    const following = postAndFollow(web, { task: 'relay.rest' })
    await worker.prints('resting')

    worker.signal('SIGTERM')

    expect(await worker.ended).toBe(0)
    expect(await following).toMatchObject({ state: 'succeeded', result: 'rested' })
  })

  test('after its grace it gives its job back, and ends well', async () => {
    const web = await startWeb()
    const worker = await startWorker('--grace', '200ms')
    const job = await post(web, 'relay.sleep')
    await worker.prints('asleep')

    worker.signal('SIGTERM')

    expect(await worker.ended).toBe(0)
    expect(await statusOf(web, job)).toMatchObject({ state: 'queued', attempt: 1 })
  })

  // Two signals in quick succession count as one: a terminal sends Ctrl-C to a whole group, and npm passes it on.
  test('and told again a little later, it gives its job back at once', async () => {
    const web = await startWeb()
    const worker = await startWorker('--grace', '10m')
    const job = await post(web, 'relay.sleep')
    await worker.prints('asleep')

    worker.signal('SIGTERM')
    await until(
      () => {
        worker.signal('SIGTERM')
        return worker.output().includes('Stopping at once')
      },
      { everyMs: 600 },
    )

    expect(await worker.ended).toBe(0)
    expect(await statusOf(web, job)).toMatchObject({ state: 'queued', attempt: 1 })
  })
})

async function startWorker(...flags: string[]): Promise<Command> {
  const worker = startCommand(folder, ['worker', ...flags], servers)
  await worker.prints('is ready')
  return worker
}

function startWeb(): Promise<AppProcess> {
  return startApp(folder, ['--import', 'tsx', 'web.ts'], servers)
}

async function post(web: AppProcess, task: string): Promise<string> {
  const accepted = await fetch(`${web.url}/jobs-to-do`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ task }),
  })
  return accepted.headers.get('location') ?? ''
}

async function statusOf(web: AppProcess, location: string): Promise<Ended> {
  return (await (await fetch(new URL(location, web.url))).json()) as Ended
}

/** What it prints as it fails. */
async function failureOf(command: Command, code = 1): Promise<string> {
  expect(await command.ended).toBe(code)
  return command.output()
}
