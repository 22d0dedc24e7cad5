import { createRequire } from 'node:module'
import { join } from 'node:path'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { checkout, installedPackage, packedTarball, run } from './tarball.js'

vi.setConfig({ testTimeout: 60_000 })

let tarball: string
let files: string[]

beforeAll(async () => {
  tarball = await packedTarball()
  const { stdout } = await run('tar', ['-tzf', tarball])
  files = stdout.trim().split('\n')
}, 60_000)

describe('the tarball', () => {
  test('holds what runs, its types, the migrations, and nothing else', () => {
    const kinds = new Set(files.map((file) => file.replace(/^package\/(dist|prisma)\/.*/, '$1')))

    expect([...kinds].sort().filter((kind) => !optional.includes(kind))).toEqual([
      'dist',
      'package/package.json',
      'prisma',
    ])
    expect(files.filter((file) => /\.(test|spec)\.|\.map$|(?<!\.d)\.ts$/.test(file))).toEqual([])
  })

  test('holds the generated Prisma client', () => {
    expect(files).toContain('package/dist/store/generated/prisma/client.js')
    expect(files.some((file) => /\.node$|schema-engine|query-engine/.test(file))).toBe(false)
  })

  test('weighs less than a megabyte and a quarter', async () => {
    const { stdout } = await run('gzip', ['-l', tarball])
    const [packed = 0, unpacked = 0] = (stdout.split('\n')[1] ?? '').trim().split(/\s+/).map(Number)
    console.log(`${files.length} files, ${inKb(packed)} packed, ${inKb(unpacked)} unpacked`)

    expect(packed).toBeLessThan(1_250_000)
  })

  test('passes publint', async () => {
    const { stdout } = await run('npx', ['publint', '--strict', tarball], { cwd: checkout })

    expect(stdout).toContain('All good!')
  })

  // A `require` of ES modules works in every Node that the package supports. Node 10's resolution knows no `exports`.
  test('has types for every way of resolving it that knows "exports"', async () => {
    const flags = ['--profile', 'node16', '--ignore-rules', 'cjs-resolves-to-esm']
    const { stdout } = await run('npx', ['attw', ...flags, '--format', 'json', tarball], { cwd: checkout })

    expect(JSON.parse(stdout)).toMatchObject({ analysis: { types: { kind: 'included' } } })
  })
})

const optional = ['package/README.md', 'package/LICENSE', 'package/CHANGELOG.md']

describe('installed', () => {
  let project: string

  beforeAll(async () => {
    project = await installedPackage()
  }, 180_000)

  test('its command tells its version and its commands', async () => {
    const { version } = createRequire(join(project, 'package.json'))('celeriac/package.json')

    expect((await celeriac('--version')).stdout.trim()).toBe(version)
    expect((await celeriac('--help')).stdout).toMatch(/Usage: celeriac.+worker.+migrate/s)
  })

  test('has no await at the top of any module, so that CommonJS may require it', async () => {
    const entries = ['celeriac', 'celeriac/testing', 'celeriac/opentelemetry']
    const script = `for (const name of ${JSON.stringify(entries)}) console.log(Object.keys(require(name)).length > 0)`

    expect((await run(process.execPath, ['--eval', script], { cwd: project })).stdout).toBe(
      'true\ntrue\ntrue\n',
    )
  })

  test('gives its process no global __dirname, as the generated Prisma client would', async () => {
    const script = `await import('celeriac'); console.log('__dirname' in globalThis)`

    const { stdout } = await run('node', ['--input-type=module', '--eval', script], { cwd: project })

    expect(stdout.trim()).toBe('false')
  })

  function celeriac(...args: string[]) {
    return run('npx', ['celeriac', ...args], { cwd: project })
  }
})

function inKb(bytes: number): string {
  return `${Math.round(bytes / 1000)} kB`
}
