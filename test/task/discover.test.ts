import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createWorkshop, type Workshop } from './workshop.js'

let app: Workshop
beforeEach(async () => {
  app = await createWorkshop()
})
afterEach(() => app.remove())

const task = "import { defineTask } from 'celeriac'\n"
const one = (name: string) => `${task}export const ${name} = defineTask(async () => '${name}')\n`

/** Names, or the error's message with paths cut down to the app's root. */
async function discovered(
  modules: string | string[],
  options: { tsx?: boolean; preferTypeScript?: boolean; root?: string } = {},
): Promise<string[] | string> {
  const search = {
    modules: [modules].flat(),
    root: options.root ?? app.root,
    preferTypeScript: options.preferTypeScript ?? options.tsx ?? false,
  }
  await app.write({
    'discover.js': `
      import { discover } from 'celeriac'
      try {
        const registry = await discover(${JSON.stringify(search)})
        console.log(JSON.stringify(registry.names))
      } catch (error) {
        if (error.name !== 'DiscoveryError') throw error
        console.log(JSON.stringify({ message: error.message, file: error.file, cause: error.cause?.message }))
      }`,
  })
  const answer = await app.run('discover.js', options.tsx === undefined ? {} : { tsx: options.tsx })
  if (Array.isArray(answer)) return answer as string[]
  return JSON.stringify(answer).replaceAll(app.root, '<root>')
}

describe('names', () => {
  test('are what the wildcards matched, and the export', async () => {
    await app.write({
      'src/modules/reports/tasks.js': `${one('build')}export const limit = 3\nexport const add = defineTask(async () => 1)`,
      'src/modules/mail/tasks.mjs': one('send'),
      'src/modules/legacy/tasks.cjs':
        "const { defineTask } = require('celeriac')\nmodule.exports = { clean: defineTask(() => {}) }",
      'src/modules/empty/other.js': 'throw new Error("not a tasks file")',
    })

    expect(await discovered('src/modules/*')).toEqual([
      'legacy.clean',
      'mail.send',
      'reports.add',
      'reports.build',
    ])
  })

  test('of nested folders are joined by dots, and a folder without wildcard goes by its own name', async () => {
    await app.write({
      'src/billing/invoices/tasks.js': one('send'),
      'src/billing/tasks.js': one('charge'),
      'src/mail/jobs/tasks.js': one('send'),
      'work/tasks.js': one('go'),
    })

    expect(await discovered('src/**')).toEqual(['billing.charge', 'billing.invoices.send', 'mail.jobs.send'])
    expect(await discovered('src/*/jobs')).toEqual(['mail.send'])
    expect(await discovered(['work', 'src/billing'])).toEqual(['billing.charge', 'work.go'])
    expect(await discovered('./src/{billing,mail}/*/tasks.js')).toEqual([
      'billing.invoices.send',
      'mail.jobs.send',
    ])
  })

  test('are the same where the pattern is an absolute path', async () => {
    await app.write({ 'src/modules/reports/tasks.js': one('build') })

    expect(await discovered(join(app.root, 'src/modules/*'))).toEqual(['reports.build'])
  })

  test('a folder that two patterns match goes by the first', async () => {
    await app.write({ 'src/a/b/tasks.js': one('go') })

    expect(await discovered(['src/a/*', 'src/**'])).toEqual(['b.go'])
    expect(await discovered(['src/**', 'src/a/*'])).toEqual(['a.b.go'])
  })

  test('a factory in one tasks file may make the tasks of another', async () => {
    await app.write({
      'src/modules/a/tasks.js': `${task}export const make = () => defineTask(async () => 1)\nexport const own = make()`,
      'src/modules/b/tasks.js': "import { make } from '../a/tasks.js'\nexport const made = make()",
    })

    expect(await discovered('src/modules/*')).toEqual(['a.own', 'b.made'])
  })

  test('a task that is exported again elsewhere belongs to the file that defines it', async () => {
    await app.write({
      'src/modules/mail/tasks.js': one('send'),
      'src/modules/all/tasks.js': `export * from '../mail/tasks.js'\n${one('go')}`,
      'src/modules/reports/tasks.js': "export { build } from './build.js'",
      'src/modules/reports/build.js': one('build'),
    })

    expect(await discovered('src/modules/*')).toEqual(['all.go', 'mail.send', 'reports.build'])
  })
})

describe('one file, one task object', () => {
  // The app imports a task in its own way, and discovery finds that very object.
  const check = (load: string) => `
    ${load}
    const { discover } = require('celeriac')
    discover({ modules: ['src/modules/*'], root: __dirname, preferTypeScript: true }).then(
      (registry) => console.log(JSON.stringify(registry.nameOf(tasks.build))),
      (error) => console.log(JSON.stringify(error.message)))`

  test.each([
    [
      'a CommonJS app under Node',
      'main.cjs',
      'src/modules/a/tasks.cjs',
      "const tasks = require('./src/modules/a/tasks.cjs')",
      false,
    ],
    [
      'a CommonJS app that imports an ESM file',
      'main.cjs',
      'src/modules/a/tasks.mjs',
      "const tasks = require('./src/modules/a/tasks.mjs')",
      false,
    ],
    [
      'a CommonJS app in TypeScript under tsx',
      'main.ts',
      'src/modules/a/tasks.ts',
      "import * as tasks from './src/modules/a/tasks'",
      true,
    ],
  ])('%s', async (_, main, file, load, tsx) => {
    const isCommonJs = file.endsWith('.cjs')
    await app.write({
      'package.json': tsx ? '{"type":"commonjs"}' : '{"type":"module"}',
      [main]: check(load),
      [file]: isCommonJs
        ? "const { defineTask } = require('celeriac')\nexports.build = defineTask(() => 1)"
        : "import { defineTask } from 'celeriac'\nexport const build = defineTask(() => 1)",
    })

    expect(await app.run(main, { tsx })).toBe('a.build')
  })

  test('a task made by another installed copy of the package is found, and enqueued by the open app', async () => {
    await app.installCopy('src/modules/a')
    await app.write({
      'src/modules/a/tasks.js': one('build'),
      'main.js': `
        import { bind, defineTask, discover } from 'celeriac'
        import { defineTask as otherDefineTask } from './src/modules/a/node_modules/celeriac/index.js'
        import { build } from './src/modules/a/tasks.js'
        const registry = await discover({ modules: ['src/modules/*'], root: import.meta.dirname, preferTypeScript: false })
        bind({ enqueue: async (task, payload) => [registry.nameOf(task), payload] })
        console.log(JSON.stringify([defineTask === otherDefineTask, await build.enqueue({ n: 1 })]))`,
    })

    expect(await app.run('main.js')).toEqual([false, ['a.build', { n: 1 }]])
  })

  test('an ESM app under tsx', async () => {
    await app.write({
      'src/modules/a/tasks.ts': one('build'),
      'main.ts': `
        import { discover } from 'celeriac'
        import { build } from './src/modules/a/tasks.js'
        const registry = await discover({ modules: ['src/modules/*'], root: import.meta.dirname, preferTypeScript: true })
        console.log(JSON.stringify(registry.nameOf(build)))`,
    })

    expect(await app.run('main.ts', { tsx: true })).toBe('a.build')
  })
})

describe('TypeScript', () => {
  test('is loaded under tsx, in ESM and in CommonJS packages', async () => {
    await app.write({
      'src/modules/reports/tasks.ts': `${task}export const build = defineTask(async (x: { a: number }) => x.a)`,
      'src/modules/old/package.json': '{"type":"commonjs"}',
      'src/modules/old/tasks.ts': `${task}export const build = defineTask(async (x: { a: number }) => x.a)\nexport default build`,
    })

    expect(await discovered('src/modules/*', { tsx: true })).toEqual(['old.build', 'reports.build'])
  })

  test('beside its compiled file, the one counts that the app runs from', async () => {
    await app.write({ 'src/modules/a/tasks.ts': one('typed'), 'src/modules/a/tasks.js': one('compiled') })

    expect(await discovered('src/modules/*', { tsx: true })).toEqual(['a.typed'])
    expect(await discovered('src/modules/*', { tsx: false })).toEqual(['a.compiled'])
  })

  test('on a Node that cannot load it, the error says what to install', async () => {
    await app.write({ 'src/modules/a/tasks.ts': 'enum A { x }\nexport {}' })

    const message = await discovered('src/modules/*')

    expect(message).toContain(
      'src/modules/a/tasks.ts cannot be loaded, because this process does not load TypeScript',
    )
    expect(message).toContain('npm i -D tsx')
  })
})

describe('errors name the file', () => {
  test('a pattern that matches nothing says where it looked', async () => {
    const message = await discovered('src/moduls/*')

    expect(message).toContain(
      'No tasks file was found: looked for <root>/src/moduls/*/tasks.{js,mjs,cjs,ts,mts,cts}',
    )
    expect(message).toContain('root: <root>')
  })

  test('a root that is not there', async () => {
    expect(await discovered('src/*', { root: '/no/such/folder' })).toContain(
      'The root folder /no/such/folder',
    )
  })

  test('a file that throws on import, with its cause', async () => {
    await app.write({
      'src/modules/a/tasks.js': "throw new Error('no key')",
      'src/modules/b/tasks.js': 'throw null',
      'src/modules/c/tasks.js': one('fine'),
    })

    const message = await discovered('src/modules/*')

    expect(message).toContain('src/modules/a/tasks.js threw while it was loaded: no key')
    expect(message).toContain('1 more tasks file(s) could not be loaded: <root>/src/modules/b/tasks.js')
    expect(message).toContain('"file":"<root>/src/modules/a/tasks.js","cause":"no key"')
  })

  test('two tasks of one name', async () => {
    await app.write({
      'src/modules/a.b/tasks.js': one('go'),
      'src/modules/a/b/tasks.js': one('go'),
    })

    expect(await discovered('src/modules/**')).toContain(
      'Two tasks have the name or alias \\"a.b.go\\": in <root>/src/modules/a.b/tasks.js and in <root>/src/modules/a/b/tasks.js',
    )
  })
})

describe('what is not looked into', () => {
  test('node_modules and folders with a dot', async () => {
    await app.write({
      'src/a/tasks.js': one('go'),
      'src/node_modules/evil/tasks.js': 'throw new Error()',
      'src/.hidden/tasks.js': 'throw new Error()',
      'src/b/tasks.json': '{',
      'src/b/my-tasks.js': 'throw new Error()',
    })

    expect(await discovered('src/**')).toEqual(['a.go'])
  })

  test('links that lead out of the root', async () => {
    const other = await createWorkshop()
    await other.write({ 'evil/tasks.js': 'throw new Error()', 'tasks.js': 'throw new Error()' })
    await app.write({ 'src/modules/a/tasks.js': one('go') })
    await app.link('src/modules/evil', join(other.root, 'evil'))
    await app.link('src/modules/file/tasks.js', join(other.root, 'tasks.js'))
    await app.link('src/linked', other.root)
    await app.link('src/modules/loop', app.root)

    expect(await discovered('src/modules/*')).toEqual(['a.go'])
    expect(await discovered('src/linked/*')).toContain('links lead out of the root')
    await other.remove()
  })

  test('a link to another module is refused, because its tasks would have two names', async () => {
    await app.write({ 'src/modules/a/tasks.js': one('go') })
    await app.link('src/modules/b', join(app.root, 'src/modules/a'))

    expect(await discovered('src/modules/*')).toContain(
      'One tasks file is reached twice, as src/modules/a/tasks.js and as src/modules/b/tasks.js, by a link',
    )
  })

  test('a folder beside the root is looked into when the pattern says so, and a root may be a link', async () => {
    await app.write({ 'packages/a/tasks.js': one('go'), 'web/package.json': '{}' })
    await app.link('www', join(app.root, 'web'))

    expect(await discovered('../packages/*', { root: join(app.root, 'web') })).toEqual(['a.go'])
    expect(await discovered('../packages/*', { root: join(app.root, 'www') })).toEqual(['a.go'])
    expect(await discovered('packages/*', { root: tmpdir() })).toContain('No tasks file was found')
  })
})

describe('a celeriac() call below the imports of a tasks file', () => {
  const files = {
    'src/modules/reports/tasks.ts': `import '../../db.js'\n${one('build')}`,
    'src/db.ts': "import { jobs } from './app.js'\nexport const db = { jobs }",
    'src/app.ts': "import { celeriac } from 'celeriac'\nexport const jobs = celeriac()",
  }

  test('is refused with the chain of imports, under tsx', async () => {
    await app.write(files)

    expect(await discovered('src/modules/*', { tsx: true })).toContain(
      'Loading tasks led to a celeriac() call: src/modules/reports/tasks.ts → src/db.ts → src/app.ts → celeriac()',
    )
  })

  test('is refused under plain Node, in ESM, after a top-level await, and in CommonJS', async () => {
    await app.write({
      'src/esm/tasks.js': "await import('../app.js')",
      'src/late/tasks.js':
        "await new Promise((resolve) => setTimeout(resolve, 5))\nawait import('../other.js')",
      'src/cjs/tasks.cjs': "require('../app.cjs')",
      'src/app.js': "import { celeriac } from 'celeriac'\nceleriac()",
      'src/other.js': "import { celeriac } from 'celeriac'\nceleriac()",
      'src/app.cjs': "const { celeriac } = require('celeriac')\nceleriac()",
    })

    expect(await discovered('src/esm')).toContain('src/esm/tasks.js → src/app.js → celeriac()')
    expect(await discovered('src/late')).toContain('src/late/tasks.js → src/other.js → celeriac()')
    expect(await discovered('src/cjs')).toContain('src/cjs/tasks.cjs → src/app.cjs → celeriac()')
  })

  test('is no error when the app was there first, or opens another one during or after discovery', async () => {
    await app.write({
      'src/modules/a/tasks.js': `import '../../app.js'\n${one('go')}globalThis.later = () => celeriac()\nimport { celeriac } from 'celeriac'`,
      'src/app.js': "import { celeriac } from 'celeriac'\nexport const jobs = celeriac()",
      'main.js': `
        import './src/app.js'
        import { celeriac, discover } from 'celeriac'
        const found = discover({ modules: ['src/modules/*'], root: ${JSON.stringify(app.root)}, preferTypeScript: false })
        const during = celeriac()
        const registry = await found
        console.log(JSON.stringify([registry.names, during, globalThis.later()]))`,
    })

    expect(await app.run('main.js')).toEqual([['a.go'], 'open', 'open'])
  })
})

test('three modules with forty tasks are found in a moment', async () => {
  const many = Array.from(
    { length: 14 },
    (_, index) => `export const t${index} = defineTask(async () => ${index})`,
  )
  for (const module of ['a', 'b', 'c'])
    await app.write({ [`src/modules/${module}/tasks.js`]: task + many.join('\n') })
  await app.write({
    'main.js': `
      import { discover } from 'celeriac'
      const started = performance.now()
      const { names } = await discover({ modules: ['src/modules/*'], root: ${JSON.stringify(app.root)}, preferTypeScript: false })
      console.log(JSON.stringify({ count: names.length, ms: performance.now() - started }))`,
  })

  const answer = (await app.run('main.js')) as { count: number; ms: number }

  expect(answer.count).toBe(42)
  expect(answer.ms).toBeLessThan(500)
})
