import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { oncePerRun } from '../support/once.js'
import { makeApp } from './app.js'
import { installedPackage, isNoApp, npmInstall, run } from './tarball.js'

vi.setConfig({ testTimeout: 60_000 })

// The consumer has a wrong payload, a wrong option and more like them; each must be an error, and nothing else.
const projects = {
  'Express 5': installedPackage,
  'Express 4': () =>
    oncePerRun('installed-express-4', async (folder) => {
      cpSync(await installedPackage(), folder, { recursive: true, verbatimSymlinks: true, filter: isNoApp })
      await npmInstall(folder, ['express@4', '@types/express@4'])
    }),
}

describe.each(['Express 5', 'Express 4'] as const)('a strict consumer on %s compiles', (express) => {
  let folder: string

  beforeAll(async () => {
    folder = await makeApp('consumer', projects[express]())
  }, 180_000)

  test('as Node resolves modules', async () => {
    expect(await errorsOf(folder, '--module', 'nodenext')).toBe('')
  })

  test('as bundlers resolve modules', async () => {
    expect(await errorsOf(folder, '--module', 'esnext', '--moduleResolution', 'bundler')).toBe('')
  })
})

async function errorsOf(folder: string, ...flags: string[]): Promise<string> {
  const tsc = join(folder, '../node_modules/typescript/bin/tsc')
  const compiling = run(process.execPath, [tsc, '-p', '.', ...flags], { cwd: folder })
  return compiling.then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  )
}
