import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createWorkshop, type Workshop } from '../task/workshop.js'

let app: Workshop
beforeEach(async () => {
  app = await createWorkshop()
})
afterEach(() => app.remove())

const config = (prefix: string) =>
  `import { defineConfig } from 'celeriac'\nexport default defineConfig({ prefix: '${prefix}' })\n`
const typedConfig = (prefix: string) => `${config(prefix)}export const typed: string = 'yes'\n`

interface Search {
  readonly path?: string
  readonly folder?: string
  readonly isProduction?: boolean
}

/** What the command line would work with, or the error's message with the app's root cut out. */
async function loaded(search: Search = {}, options: { tsx?: boolean } = {}): Promise<unknown> {
  const { folder = '.', isProduction = false } = search
  const given = { ...search, folder: join(app.root, folder), isProduction }
  await app.write({
    'node_modules/main.js': `
      import { loadConfig, loadTasks, readEnvironment, resolveConfig } from 'celeriac'
      try {
        const options = await loadConfig(${JSON.stringify(given)})
        const config = resolveConfig(options, readEnvironment())
        const names = await loadTasks(config).then(({ names }) => names, (error) => error.message)
        console.log(JSON.stringify({ prefix: config.prefix, file: config.file, root: config.root, names }))
      } catch (error) {
        console.log(JSON.stringify({ name: error.name, message: error.message, cause: error.cause?.message }))
      }`,
  })
  const answer = await app.run('node_modules/main.js', options)
  return JSON.parse(JSON.stringify(answer).replaceAll(app.root, '<root>'))
}

describe('where it is looked for', () => {
  test('in the working folder and its parents, src/ and dist/', async () => {
    await app.write({
      'celeriac.config.js': config('top'),
      'a/src/celeriac.config.mjs': config('src'),
      'b/dist/celeriac.config.js': config('dist'),
    })

    expect(await loaded({ folder: 'x' })).toMatchObject({ prefix: 'top', file: '<root>/celeriac.config.js' })
    expect(await loaded({ folder: 'a/deep' })).toMatchObject({ prefix: 'src', root: '<root>/a/src' })
    expect(await loaded({ folder: 'b' })).toMatchObject({ prefix: 'dist', root: '<root>/b/dist' })
  })

  test('at the file or the folder that -A names', async () => {
    await app.write({
      'web/other.js': config('other'),
      'jobs/celeriac.config.cjs': "module.exports = { prefix: 'cjs' }",
    })

    expect(await loaded({ path: 'web/other.js' })).toMatchObject({ prefix: 'other', root: '<root>/web' })
    expect(await loaded({ path: 'jobs' })).toMatchObject({
      prefix: 'cjs',
      root: '<root>/jobs',
      file: '<root>/jobs/celeriac.config.cjs',
    })
    expect(await loaded({ path: 'nowhere' })).toMatchObject({
      name: 'ConfigError',
      message: expect.stringContaining('-A <root>/nowhere: there is no such file'),
    })
  })

  test('and when there is none, the error says where it looked and what to paste', async () => {
    expect(await loaded({ folder: 'a' })).toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(
        /was found in <root>\/a, its src\/ and dist\/.*\n\n {2}import { defineConfig }/,
      ),
    })
  })
})

describe('TypeScript and its compiled twin', () => {
  beforeEach(() =>
    app.write({
      'celeriac.config.ts': typedConfig('typed'),
      'src/modules/a/tasks.ts':
        "import { defineTask } from 'celeriac'\nexport const typed = defineTask(async (n: number) => n)",
      'dist/celeriac.config.js': config('compiled'),
      'dist/src/modules/a/tasks.js':
        "import { defineTask } from 'celeriac'\nexport const compiled = defineTask(async (n) => n)",
    }),
  )

  test("with the app's own tsx, the TypeScript goes first, and so do its tasks", async () => {
    await app.installTsx()

    expect(await loaded()).toEqual({
      prefix: 'typed',
      file: '<root>/celeriac.config.ts',
      root: '<root>',
      names: ['a.typed'],
    })
  })

  test('in a process that tsx already runs, too', async () => {
    await app.installTsx()

    expect(await loaded({}, { tsx: true })).toMatchObject({ prefix: 'typed', names: ['a.typed'] })
  })

  test('in production the compiled one goes first, and finds the compiled tasks beside it', async () => {
    await app.installTsx()

    expect(await loaded({ isProduction: true })).toEqual({
      prefix: 'compiled',
      file: '<root>/dist/celeriac.config.js',
      root: '<root>/dist',
      names: ['a.compiled'],
    })
  })

  test.runIf(!('typescript' in process.features))(
    'where nothing loads TypeScript, the compiled one is taken',
    async () => {
      expect(await loaded()).toMatchObject({ prefix: 'compiled', names: ['a.compiled'] })
    },
  )

  test.runIf(!('typescript' in process.features))(
    'without a compiled one, the error says what to install',
    async () => {
      expect(await loaded({ path: 'celeriac.config.ts' })).toMatchObject({
        name: 'ConfigError',
        message: expect.stringContaining('npm i -D tsx'),
      })
    },
  )

  test('a package of type commonjs works as well', async () => {
    await app.installTsx()
    await app.write({
      'old/package.json': '{"type":"commonjs"}',
      'old/celeriac.config.ts': typedConfig('old'),
    })

    expect(await loaded({ folder: 'old' })).toMatchObject({ prefix: 'old', root: '<root>/old' })
  })
})

describe('errors', () => {
  test.each([
    ['nothing', 'export const x = 1', 'undefined'],
    ['text', "export default 'src/modules/*'", '"src/modules/*"'],
    ['a function', 'export default () => ({})', 'a function'],
  ])('a file that exports %s is refused', async (_, text, shown) => {
    await app.write({ 'celeriac.config.js': text })

    expect(await loaded()).toMatchObject({
      name: 'ConfigError',
      message: expect.stringContaining(
        `must "export default defineConfig({ … })", and its default export is ${shown}`,
      ),
    })
  })

  test('a file that throws is named, with the cause', async () => {
    await app.write({ 'celeriac.config.js': "throw new Error('no secret set')" })

    expect(await loaded()).toEqual({
      name: 'ConfigError',
      message: '<root>/celeriac.config.js threw while it was loaded: no secret set',
      cause: 'no secret set',
    })
  })

  test('an unknown option is refused with a hint', async () => {
    await app.write({ 'celeriac.config.js': config('x').replace('prefix', 'prefx') })

    expect(await loaded()).toMatchObject({
      message: expect.stringContaining('no option "prefx". Did you mean "prefix"?'),
    })
  })
})

describe('the folder of a config', () => {
  test('is its own also with source maps switched on, compiled to CommonJS, and spread into another object', async () => {
    await app.write({
      'dist/package.json': '{"type":"commonjs"}',
      'dist/celeriac.config.js':
        "const { defineConfig } = require('celeriac')\nObject.defineProperty(exports, '__esModule', { value: true })\nexports.default = defineConfig({ prefix: 'c' })\n//# sourceMappingURL=celeriac.config.js.map\n",
      'dist/celeriac.config.js.map':
        '{"version":3,"sources":["../celeriac.config.ts"],"mappings":"AAAA;AACA;AACA"}',
      'main.js': `
        import { readEnvironment, resolveConfig } from 'celeriac'
        import config from './dist/celeriac.config.js'
        const { root, file } = resolveConfig({ ...config.default, worker: true }, readEnvironment())
        console.log(JSON.stringify([root, file]))`,
    })

    const places = await app.run('main.js', { flags: ['--enable-source-maps'] })

    expect(places).toEqual([join(app.root, 'dist'), join(app.root, 'dist/celeriac.config.js')])
  })

  test('without a config file it is that of the package above the script that runs, and dist/ tells dist/', async () => {
    const main = `
      import { readEnvironment, resolveConfig } from 'celeriac'
      const { root, modules } = resolveConfig({}, readEnvironment())
      console.log(JSON.stringify([root, ...modules]))`
    await app.write({
      'src/app.js': main,
      'src/modules/a/tasks.ts': '',
      'dist/app.js': main,
      'dist/modules/a/tasks.js': '',
      'build/src/app.js': main,
      'build/src/modules/a/tasks.js': '',
    })

    expect(await app.run('src/app.js')).toEqual([app.root, 'src/modules/*'])
    expect(await app.run('dist/app.js')).toEqual([app.root, 'dist/modules/*'])
    expect(await app.run('build/src/app.js')).toEqual([app.root, 'build/src/modules/*'])
  })
})
