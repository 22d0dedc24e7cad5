import { readdirSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { scratchFolder } from '../support/scratch.js'
import { freshDatabase } from '../support/servers.js'
import { bareEnvironment, makeApp, postAndFollow, startApp } from './app.js'
import { installedPackage, run } from './tarball.js'

vi.setConfig({ testTimeout: 60_000 })

beforeAll(async () => {
  await installedPackage()
}, 180_000)

const servers = async () => ({ DATABASE_URL: await freshDatabase() })

describe('an app in TypeScript', () => {
  test('runs under tsx', async () => {
    const folder = await makeApp('typescript')
    const app = await startApp(folder, ['--import', 'tsx', 'src/app.ts'], await servers())

    expect(await postAndFollow(app, { month: '2026-01' })).toMatchObject({
      state: 'succeeded',
      result: { month: '2026-01', loads: 1, file: fileIn(folder, 'src/modules/reports/tasks.ts') },
    })
  })

  test('runs compiled, its sources beside it, from the compiled tasks alone', async () => {
    const folder = await makeApp('typescript')
    await compile(folder)
    const app = await startApp(folder, ['dist/src/app.js'], await servers())

    expect(await postAndFollow(app, { month: '2026-01' })).toMatchObject({
      state: 'succeeded',
      result: { loads: 1, file: fileIn(folder, 'dist/src/modules/reports/tasks.js') },
    })
  })

  test.each(['esm', 'cjs'] as const)(
    'runs as one bundled file (%s), with no node_modules near it',
    async (format) => {
      const folder = await makeApp('typescript')
      const empty = await mkdtemp(join(scratchFolder(), 'bundle-'))
      await bundle(join(folder, 'src/bundled.ts'), empty, format)
      const app = await startApp(empty, readdirSync(empty), await servers())

      expect(await postAndFollow(app, { month: '2026-01' })).toMatchObject({
        state: 'succeeded',
        result: { month: '2026-01', loads: 1 },
      })
    },
  )

  test('is tested in Vitest', async () => {
    const folder = await makeApp('typescript')

    const { stdout } = await run('npx', ['vitest', 'run', '--root', folder], {
      cwd: folder,
      env: bareEnvironment(await servers()),
    })

    expect(stdout).toMatch(/1 passed/)
  })
})

test('an app in plain JavaScript modules runs', async () => {
  const folder = await makeApp('javascript')
  const app = await startApp(folder, ['src/app.js'], await servers())

  expect(await postAndFollow(app, { name: 'Ada' })).toMatchObject({
    state: 'succeeded',
    result: { text: 'Hello, Ada!', file: fileIn(folder, 'src/modules/greetings/tasks.js') },
  })
})

// Well before the 30 s that a job would have had to finish.
test('an app that closes its jobs and its server ends by itself', async () => {
  const folder = await makeApp('javascript')
  const app = await startApp(folder, ['src/app.js'], await servers())
  await postAndFollow(app, { name: 'Ada' })
  const toldAt = performance.now()

  expect(await app.stop()).toBe(0)
  expect(performance.now() - toldAt).toBeLessThan(15_000)
})

test('an app in CommonJS runs, by require', async () => {
  const folder = await makeApp('commonjs')
  const app = await startApp(folder, ['src/app.js'], await servers())

  expect(await postAndFollow(app, { name: 'Ada' })).toMatchObject({
    state: 'succeeded',
    result: { text: 'Hello, Ada!', file: join(folder, 'src/modules/greetings/tasks.js') },
  })
})

async function compile(folder: string): Promise<void> {
  await run('npx', ['tsc', '-p', '.'], { cwd: folder })
}

/**
 * With the two shims that bundles of such packages need: Express asks for Node's own modules by `require`, which a
 * bundle in ESM lacks, and some packages ask for `import.meta.url`, which one in CommonJS lacks.
 */
async function bundle(entry: string, target: string, format: 'esm' | 'cjs'): Promise<void> {
  await build({
    entryPoints: [entry],
    outfile: join(target, format === 'esm' ? 'app.mjs' : 'app.cjs'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format,
    logLevel: 'error',
    ...shims[format],
  })
}

const shims = {
  esm: {
    banner: {
      js: `import { createRequire as toRequire } from 'node:module'; const require = toRequire(import.meta.url);`,
    },
  },
  cjs: {
    banner: { js: `const importMetaUrl = require('node:url').pathToFileURL(__filename).href;` },
    define: { 'import.meta.url': 'importMetaUrl' },
  },
}

function fileIn(folder: string, path: string): string {
  return pathToFileURL(join(folder, path)).href
}
