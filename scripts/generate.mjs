// Makes what is built into the package and not committed: the Prisma client, the migrations as a module, and three
// programs as one string each, with all that they import: the lease thread and the health port of a worker, and the
// keeper of the embedded server. All but the first let a bundle of an app be a single file.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { buildPages } from './build-pages.mjs'
import { describeContract } from './describe-contract.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const banner = '// Made by scripts/generate.mjs. Do not edit.\n'

generateClient()
generateMigrations()
await buildPages()
await describeContract()
await generateProgram('src/embedded/keeper-main.ts', 'src/embedded/generated/keeper.ts', 'keeperSource')
await generateProgram(
  'src/worker/lease-thread.ts',
  'src/worker/generated/lease-thread.ts',
  'leaseThreadSource',
)
await generateProgram(
  'src/telemetry/health-thread.ts',
  'src/telemetry/generated/health-thread.ts',
  'healthThreadSource',
)

function generateClient() {
  const schema = join(root, 'prisma/schema.prisma')
  const client = join(root, 'src/store/generated/prisma/client.ts')
  const prisma = join(root, 'node_modules/prisma/build/index.js')
  const sources = [schema, prisma, fileURLToPath(import.meta.url)]
  if (existsSync(client) && sources.every((source) => isOlder(source, client))) return
  execFileSync(process.execPath, [prisma, 'generate'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, PRISMA_HIDE_UPDATE_MESSAGE: '1' },
  })
  writeFileSync(client, withoutGlobals(readFileSync(client, 'utf8')))
}

/** The client would give the whole process a global `__dirname`, and could not be bundled into CommonJS. */
function withoutGlobals(source) {
  const line = /^globalThis\['__dirname'\] = .*\n/m
  if (!line.test(source)) throw new Error('The generated client has changed: is __dirname still made global?')
  return source.replace(line, '')
}

function isOlder(file, than) {
  return statSync(file).mtimeMs < statSync(than).mtimeMs
}

function generateMigrations() {
  const folder = join(root, 'prisma/migrations')
  const migrations = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
    .map((name) => ({ name, sql: readFileSync(join(folder, name, 'migration.sql'), 'utf8') }))
  write(
    'src/store/generated/migrations.ts',
    `export const migrations: readonly { readonly name: string; readonly sql: string }[] = ${JSON.stringify(migrations, null, 2)}\n`,
  )
}

async function generateProgram(source, target, name) {
  const bundle = await build({
    entryPoints: [join(root, source)],
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    minify: true,
    write: false,
    external: ['pg-native'],
    logLevel: 'error',
  })
  write(target, `export const ${name}: string = ${JSON.stringify(bundle.outputFiles[0].text)}\n`)
}

function write(path, text) {
  const file = join(root, path)
  mkdirSync(join(file, '..'), { recursive: true })
  const content = banner + text
  if (existsSync(file) && readFileSync(file, 'utf8') === content) return
  writeFileSync(file, content)
}
