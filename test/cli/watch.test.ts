import { appendFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Celeriac } from '../../src/plugin.js'
import { closeJobsAfterEach, openJobs } from '../support/lab.js'
import { freshDatabase } from '../support/servers.js'
import { until } from '../support/until.js'
import { type LongCommand, startCeleriac } from './long-command.js'
import { makeSmallApp, writeSource } from './small-app.js'

closeJobsAfterEach()
vi.setConfig({ testTimeout: 180_000 })

const config = `import { defineConfig } from 'celeriac'\nexport default defineConfig({ modules: 'modules/*' })\n`
const tasks = `
import { setTimeout as sleep } from 'node:timers/promises'
import { defineTask } from 'celeriac'
import { word } from './words.js'

export const say = defineTask(async (ms) => {
  const before = word()
  if (ms > 0) { console.log('it rests'); await sleep(ms) }
  return before
})
`
const words = (word: string) => `export function word() { return '${word}' }\n`

let database: string
let jobs: Celeriac

beforeEach(async () => {
  database = await freshDatabase()
  jobs = await openJobs({ database, tasks: {}, deadline: '20s' })
})

function watch(folder: string): LongCommand {
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return startCeleriac(['worker', '--watch', '--grace', '60s'], {
    folder,
    variables: { CELERIAC_DATABASE_URL: database, CELERIAC_BROKER_URL: database },
  })
}

const said = async (ms = 0) => (await jobs.enqueue('work.say', ms)).result({ timeout: 60_000 })

describe.each(['ts', 'js'])('an app of .%s files', (kind) => {
  test('is started anew when a file changes that its tasks import, after its job has ended under the old code', async () => {
    const folder = makeSmallApp({
      [`celeriac.config.${kind}`]: config,
      [`modules/work/tasks.${kind}`]: tasks,
      [`modules/work/words.${kind}`]: words('old'),
    })
    const worker = watch(folder)
    await worker.prints('is ready')
    expect(await said()).toBe('old')

    const resting = await jobs.enqueue('work.say', 4000)
    await worker.prints('it rests')
    writeSource(folder, `modules/work/words.${kind}`, words('new'))

    await worker.prints(`celeriac: modules/work/words.${kind} changed, so the worker starts anew.`)
    await worker.prints('is ready', 2)
    expect(await resting.result()).toBe('old')
    expect(await resting.status()).toMatchObject({ attempt: 1, attempts: [] })
    expect(await said()).toBe('new')

    worker.signal('SIGTERM')
    expect(await worker.ended).toBe(0)
  })
})

test('an error is shown, and the next change is waited for', async () => {
  const folder = makeSmallApp({
    'celeriac.config.ts': config,
    'modules/work/tasks.ts': tasks,
    'modules/work/words.ts': words('old'),
  })
  const worker = watch(folder)
  await worker.prints('is ready')

  writeSource(folder, 'modules/work/words.ts', 'export function word( {')
  await worker.prints('The worker has ended. It starts again when a file changes.')
  expect(worker.output()).toContain('modules/work/tasks.ts threw while it was loaded')

  // As editors save: another file takes the place of the old one.
  writeFileSync(join(folder, 'modules/work/words.ts~'), words('mended'))
  renameSync(join(folder, 'modules/work/words.ts~'), join(folder, 'modules/work/words.ts'))
  await worker.prints('is ready', 2)
  expect(await said()).toBe('mended')
})

test('a new module is found, and a config that changes holds', async () => {
  const folder = makeSmallApp({
    'celeriac.config.ts': config,
    'modules/work/tasks.ts': tasks,
    'modules/work/words.ts': words('old'),
  })
  const worker = watch(folder)
  await worker.prints('is ready')

  writeSource(folder, 'modules/mail/tasks.ts', tasks.replace('./words.js', '../work/words.js'))
  await worker.prints('celeriac: modules/mail/tasks.ts changed')
  await worker.prints('is ready', 2)
  expect(worker.output()).toContain('mail.say')

  appendFileSync(join(folder, 'celeriac.config.ts'), `// and a word more\n`)
  await worker.prints('celeriac: celeriac.config.ts changed')
  await worker.prints('is ready', 3)
  // It does not start anew by itself.
  await new Promise((resolve) => setTimeout(resolve, 3000))
  expect(worker.output().split('changed, so the worker').length).toBe(3)
})

test('a watcher that is killed takes its worker along', async () => {
  const folder = makeSmallApp({
    'celeriac.config.ts': config,
    'modules/work/tasks.ts': tasks,
    'modules/work/words.ts': words('old'),
  })
  const worker = watch(folder)
  await worker.prints('is ready')

  worker.signal('SIGKILL')

  await until(async () => (await jobs.inspect.workers()).every(({ stoppedAt }) => stoppedAt !== null), {
    timeoutMs: 30_000,
  })
})

test('without a config file there is nothing to wait for', async () => {
  const worker = watch(makeSmallApp({}))

  expect(await worker.ended).toBe(1)
  expect(worker.output()).toContain('No celeriac.config.ts')
})
