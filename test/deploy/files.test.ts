import { execFile, execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { defaults } from '../../src/config/resolve.js'
import { matchHealth } from '../../src/http/health.js'
import { toMs } from '../../src/job/duration.js'
import { clusterFamilies, workerFamilies } from '../../src/telemetry/metrics/family.js'
import { isHealthCode } from '../../src/telemetry/readiness.js'
import { codeIn, read, root, withoutBlocks } from '../docs/markdown.js'
import { readEnvironmentNames, refusedBy } from '../docs/options.js'
import {
  compose,
  deployFiles,
  dockerfileCommands,
  documentsOf,
  manifests,
  ourCommands,
  type Probe,
  unitOf,
  yamlFiles,
} from './files.js'

const run = promisify(execFile)
vi.setConfig({ testTimeout: 60_000 })

/** A worker's last words: handlers that answer an abort, a store that is away, connections that close. */
const lastWordsMs = 22_000

const page = 'docs/deploy.md'
const texts = [...deployFiles, page].map(read).join('\n')

const helps = new Map<string, Promise<string>>()

/** From the sources. */
function helpOf(...words: string[]): Promise<string> {
  const key = words.join(' ')
  const asked = helps.get(key) ?? askForHelp(words)
  helps.set(key, asked)
  return asked
}

async function askForHelp(words: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, ['--import', 'tsx', 'src/cli/main.ts', ...words, '--help'], {
    cwd: root,
  })
  return stdout
}

test.each(yamlFiles)('%s is YAML without a fault', (path) => {
  for (const document of documentsOf(path)) {
    expect(document.errors).toEqual([])
    expect(document.warnings).toEqual([])
    expect(document.toJS()).toBeInstanceOf(Object)
  }
})

describe('every command is one of ours', () => {
  test('with flags that it has', async () => {
    const commands = ourCommands()
    expect(commands.map(([name]) => name).sort()).toEqual([
      'migrate',
      'migrate',
      'worker',
      'worker',
      'worker',
    ])

    for (const [name = '', ...words] of commands) {
      const known = flagsIn(await helpOf(name))
      for (const flag of words.filter((word) => word.startsWith('-'))) expect(known, name).toContain(flag)
    }
  })

  test('also in the text of the page', async () => {
    const lines = [...read(page).matchAll(/^celeriac (.+)$/gm)].map(([, line = '']) => line)
    const inline = codeIn(withoutBlocks(read(page)))
      .filter((code) => code.startsWith('celeriac '))
      .map((code) => code.slice('celeriac '.length))
    expect(lines.length + inline.length).toBeGreaterThan(8)

    for (const line of [...lines, ...inline]) {
      const words = line.split(' ')
      const path = words.filter((word, at) => at < 2 && /^[a-z]/.test(word))
      const [first = '', second] = path
      const isGroup = ['control', 'inspect', 'jobs'].includes(first)
      const help = await helpOf(...(isGroup && second ? [first, second] : [first]))
      expect(help, line).toContain(`Usage: celeriac ${first}`)
      for (const flag of words.filter((word) => /^--?[a-z]/.test(word)))
        expect(flagsIn(help), line).toContain(flag)
    }
  })
})

function flagsIn(help: string): string[] {
  return [...help.matchAll(/(?<=[\s,])--?[a-z][a-z-]*/gi)].map(([flag]) => flag)
}

test('every variable of the environment is read', () => {
  const named = new Set(
    [...texts.matchAll(/\b(?:CELERIAC_[A-Z_]+|[A-Z]+_URL|NODE_ENV)\b/g)].map(([name]) => name),
  )

  expect([...named].filter((name) => !readEnvironmentNames().includes(name))).toEqual([])
})

test('every metric exists', () => {
  const named = new Set([...texts.matchAll(/\bceleriac_[a-z_]+\b/g)].map(([name]) => name))

  expect(named.size).toBeGreaterThan(0)
  expect([...named].filter((name) => !(name in clusterFamilies) && !(name in workerFamilies))).toEqual([])
})

test('every option that the page names exists', () => {
  const known = [...refusedBy('celeriac'), ...refusedBy('worker'), ...refusedBy('defineTask')]
  const named = codeIn(withoutBlocks(read(page))).map((code) => code.split(':')[0] ?? '')

  for (const name of ['appVersion', 'aliases', 'prefix', 'retain', 'pool']) {
    expect(named).toContain(name)
    expect(known).toContain(name)
  }
})

describe('a probe', () => {
  test.each(
    manifests.filter(({ kind }) => kind === 'Deployment').map((each) => [each.metadata.name, each] as const),
  )('of %s asks an address that answers, on a port that is open', (_name, { spec }) => {
    const [container] = spec.template?.spec.containers ?? []
    const words = container?.args ?? []
    for (const probe of [container?.readinessProbe, container?.livenessProbe]) {
      assertAddress(probe?.httpGet.path ?? '')
      const port = container?.ports?.find(({ name }) => name === probe?.httpGet.port)?.containerPort
      const healthPort = words[words.indexOf('--health-port') + 1]
      expect(port).toBe(words.includes('--health-port') ? Number(healthPort) : 3000)
      // Who asks servers may wait for 2 s.
      expect(probe?.timeoutSeconds).toBeGreaterThan(2)
    }
    expect(minutes(container?.livenessProbe)).toBeGreaterThanOrEqual(1)
  })

  test('of the image asks an address that answers, on a port that its command opens', () => {
    const commands = dockerfileCommands()
    const checks = commands.filter(([program]) => program === 'node').map((words) => words.at(-1) ?? '')
    const urls = checks.flatMap((script) => /fetch\('([^']+)'\)/.exec(script)?.[1] ?? [])
    expect(urls).toHaveLength(2)

    const worker = commands.find((words) => words.includes('worker')) ?? []
    const ports = ['3000', worker[worker.indexOf('--health-port') + 1]]
    for (const url of urls) {
      const { port, pathname, search } = new URL(url)
      expect(ports).toContain(port)
      assertAddress(pathname + search)
    }
  })

  function assertAddress(address: string): void {
    const { pathname, searchParams } = new URL(address, 'http://localhost')
    const isOfWorker = ['/health/live', '/health/ready'].includes(pathname)
    expect(isOfWorker || matchHealth('GET', pathname, defaults.path) !== undefined, address).toBe(true)
    for (const code of searchParams.get('exclude')?.split(',') ?? [])
      expect(isHealthCode(code), code).toBe(true)
  }

  function minutes(probe: Probe | undefined): number {
    return ((probe?.periodSeconds ?? 0) * (probe?.failureThreshold ?? 3)) / 60
  }
})

describe('whoever stops a worker waits longer than it takes', () => {
  test('in Kubernetes', () => {
    const worker = manifests.find(
      ({ metadata, kind }) => kind === 'Deployment' && metadata.name === 'shop-worker',
    )
    const { terminationGracePeriodSeconds = 30, containers } = worker?.spec.template?.spec ?? {}
    const { args = [] } = containers?.[0] ?? {}
    const graceMs = toMs(args[args.indexOf('--grace') + 1]) ?? Number.NaN

    expect(graceMs).toBe(defaults.graceMs)
    expect(terminationGracePeriodSeconds * 1000).toBeGreaterThan(graceMs + lastWordsMs)
  })

  test('in compose', () => {
    expect(toMs(compose.services.worker?.stop_grace_period)).toBeGreaterThan(defaults.graceMs + lastWordsMs)
  })

  test('under systemd, which ends the worker before its children', () => {
    const unit = unitOf('deploy/systemd/celeriac-worker@.service')
    const said = (key: string) => unit.find(([name]) => name === key)?.[1]

    expect(Number(said('TimeoutStopSec')) * 1000).toBeGreaterThan(defaults.graceMs + lastWordsMs)
    expect([said('KillMode'), said('KillSignal'), said('Type')]).toEqual(['mixed', 'SIGTERM', 'exec'])
  })

  test('a web process has its pause before it', () => {
    const web = manifests.find(({ metadata, kind }) => kind === 'Deployment' && metadata.name === 'shop-web')
    const { terminationGracePeriodSeconds = 30, containers } = web?.spec.template?.spec ?? {}
    const [, pause] = containers?.[0]?.lifecycle?.preStop.exec.command ?? []

    expect(terminationGracePeriodSeconds).toBeGreaterThan(Number(pause) + 30)
  })
})

test('what selects pods selects those of the template', () => {
  const labels = new Map(
    manifests.flatMap(({ kind, metadata, spec }) =>
      kind === 'Deployment' ? [[metadata.name, spec.template?.metadata.labels]] : [],
    ),
  )

  for (const { kind, metadata, spec } of manifests) {
    if (!['Deployment', 'Service', 'PodDisruptionBudget'].includes(kind)) continue
    const { matchLabels = spec.selector } = spec.selector as { matchLabels?: unknown }
    expect(labels.get(metadata.name), `${kind} ${metadata.name}`).toEqual(matchLabels)
  }
})

test('Redis keeps what waits', () => {
  const { command = [] } = compose.services.redis ?? {}

  expect(command.join(' ')).toMatch(/--appendonly yes .*--maxmemory-policy noeviction/)
})

const systemd = onPath('systemd-analyze')

test.skipIf(!systemd)(
  'systemd understands the units (skipped where systemd-analyze is not installed)',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'celeriac-units-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    // It looks whether the program is there, so one stands in its place.
    const program = join(folder, 'node_modules/.bin/celeriac')
    mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true })
    writeFileSync(program, '#!/bin/sh\n')
    chmodSync(program, 0o755)
    const units = deployFiles.filter((path) => path.endsWith('.service'))
    for (const path of units) {
      const unit = read(path).replaceAll('/srv/shop', folder).replaceAll('/usr/bin/node', process.execPath)
      writeFileSync(join(folder, basename(path).replace('@.', '@mail.')), unit)
    }

    for (const path of units) {
      const file = join(folder, basename(path).replace('@.', '@mail.'))
      const { stderr } = await run('systemd-analyze', ['verify', '--man=no', '--recursive-errors=no', file])
      // Of other units of this machine, it may say what it likes.
      expect(stderr.split('\n').filter((line) => line.includes('celeriac-'))).toEqual([])
    }
  },
)

function onPath(program: string): boolean {
  try {
    execFileSync('which', [program], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
