import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { bareEnvironment, outputOf } from '../package/app.js'
import { checkout, installedPackage, run } from '../package/tarball.js'
import { freePort } from '../support/server.js'
import { freshDatabase } from '../support/servers.js'
import { until } from '../support/until.js'
import { type Program, programsIn } from './markdown.js'

// The README's programs as they stand there, in a project that has installed the packed package.

const [tenLines, ...others] = programsIn('README.md')

beforeAll(async () => {
  await installedPackage()
}, 180_000)

test('the app in ten lines has ten lines, and runs', async () => {
  const lines = tenLines?.text.split('\n').filter((line) => line.trim() !== '')
  const port = await freePort()
  const folder = await write([tenLines], port)

  start(folder, ['--import', 'tsx', 'app.ts'], await freshDatabase())

  expect(lines).toHaveLength(10)
  expect(await postAndFollow(port, '/greetings', { name: 'Ada' })).toMatchObject({
    state: 'succeeded',
    result: { greeting: 'Hello, Ada!' },
  })
  expect((await post(port, '/greetings', { nam: 'Ada' })).status).toBe(422)
})

test('the app with modules runs, with its worker in another process, and both stop when told', async () => {
  const [port, database] = [await freePort(), await freshDatabase()]
  const folder = await write(others, port)
  const cli = join(folder, '../node_modules/celeriac/dist/cli/main.js')

  const web = start(folder, ['--import', 'tsx', 'src/app.ts'], database)
  const worker = start(folder, [cli, 'worker', '-c', '4', '-Q', 'mail,default'], database)

  expect(await postAndFollow(port, '/reports', { month: '2026-01' })).toMatchObject({
    task: 'reports.buildReport',
    result: { url: '/files/2026-01.pdf' },
  })
  expect(await postAndFollow(port, '/sums', { a: 1, b: 2 })).toMatchObject({ result: 3 })
  expect(await Promise.all([web, worker].map(stop))).toEqual([0, 0])
})

test('its tests pass', async () => {
  const folder = await write(others)

  const { stdout } = await run('npx', ['vitest', 'run', '--root', folder], {
    cwd: folder,
    env: bareEnvironment({ CELERIAC_DATABASE_URL: await freshDatabase() }),
  })

  expect(stdout).toMatch(/2 passed/)
})

test('every program compiles, strictly', async () => {
  const folder = await write([tenLines, ...others])
  const prisma = join(checkout, 'node_modules/prisma/config.d.ts')
  const compilerOptions = {
    target: 'es2023',
    module: 'nodenext',
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noUnusedLocals: true,
    verbatimModuleSyntax: true,
    noEmit: true,
    paths: { 'prisma/config': [prisma] },
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['**/*.ts'] }))

  const { stdout } = await run('npx', ['tsc', '-p', '.'], { cwd: folder }).catch((error) => error)

  expect(stdout).toBe('')
})

/** Writes programs to a folder of their own. */
async function write(programs: readonly (Program | undefined)[], port = 3000): Promise<string> {
  const folder = mkdtempSync(join(await installedPackage(), 'readme-'))
  // An empty folder has no "type" after `npm i`, and the app in ten lines must run there.
  const manifest = programs.length === 1 ? {} : { type: 'module' }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  for (const program of programs) {
    if (!program) throw new Error('The README has lost a program.')
    const file = join(folder, program.file)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, program.text.replace('listen(3000)', `listen(${port})`))
  }
  return folder
}

interface Running {
  readonly child: ChildProcess
  readonly output: () => string
}

function start(folder: string, args: readonly string[], database: string): Running {
  const env = bareEnvironment({ CELERIAC_DATABASE_URL: database })
  const child = spawn(process.execPath, args, { cwd: folder, env })
  onTestFinished(({ task }) => {
    if (task.result?.state === 'fail') console.error(output())
    child.kill('SIGKILL')
  })
  const output = outputOf(child)
  return { child, output }
}

function stop({ child }: Running): Promise<number | string | null> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal))
    child.kill('SIGTERM')
  })
}

/** Posts as soon as the app listens. */
function post(port: number, path: string, body: object): Promise<Response> {
  const send = () =>
    fetch(`http://localhost:${port}${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
  return until(send, { timeoutMs: 15_000, everyMs: 100 })
}

async function postAndFollow(port: number, path: string, body: object): Promise<unknown> {
  const accepted = await post(port, path, body)
  const location = accepted.headers.get('Location')
  if (accepted.status !== 202) throw new Error(`${accepted.status}: ${await accepted.text()}`)
  const ended = await fetch(`http://localhost:${port}${location}?wait=15`)
  return ended.json()
}
