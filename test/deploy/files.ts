import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Document, parseAllDocuments, parseDocument } from 'yaml'
import { read, root } from '../docs/markdown.js'

/** Every file of `deploy/`, by its path from the root. */
export const deployFiles: readonly string[] = readdirSync(join(root, 'deploy'), {
  recursive: true,
  withFileTypes: true,
})
  .filter((entry) => entry.isFile())
  .map(({ parentPath, name }) => join(parentPath, name).slice(root.length))

export const yamlFiles = deployFiles.filter((path) => path.endsWith('.yaml'))

/** With anchors and merges resolved. */
export function documentsOf(path: string): Document.Parsed[] {
  return parseAllDocuments(read(path), { merge: true, strict: true }) as Document.Parsed[]
}

export interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string | number }
  readonly periodSeconds: number
  readonly timeoutSeconds: number
  readonly failureThreshold?: number
}

export interface Container {
  readonly name: string
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[]
  readonly readinessProbe?: Probe
  readonly livenessProbe?: Probe
  readonly env?: readonly { readonly name: string }[]
  readonly lifecycle?: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } }
}

export interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly selector?: unknown
    readonly template?: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> }
      readonly spec: {
        readonly terminationGracePeriodSeconds?: number
        readonly containers: readonly [Container]
      }
    }
  }
}

export const manifests: readonly Manifest[] = yamlFiles
  .filter((path) => path.includes('kubernetes/'))
  .flatMap((path) => documentsOf(path).map((document) => document.toJS() as Manifest))

export interface Service {
  readonly command?: readonly string[]
  readonly stop_grace_period?: string
  readonly depends_on?: Readonly<Record<string, unknown>>
  readonly environment?: Readonly<Record<string, string>>
}

export const compose = parseDocument(read('deploy/compose.yaml'), { merge: true }).toJS() as {
  readonly services: Readonly<Record<string, Service>>
}

/** What a unit file says, in order; a key may stand several times. */
export function unitOf(path: string): readonly (readonly [key: string, value: string])[] {
  return read(path)
    .split('\n')
    .filter((line) => /^[A-Z]\w+=/.test(line))
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const)
}

/** Commands and health checks of a Dockerfile. */
export function dockerfileCommands(): string[][] {
  return Array.from(read('deploy/Dockerfile').matchAll(/CMD (\[.*\])$/gm), ([, list = '']) =>
    JSON.parse(list),
  )
}

/** Every call of our command line in the files, as its words after `celeriac`. */
export function ourCommands(): string[][] {
  const lists = [
    ...dockerfileCommands(),
    ...Object.values(compose.services).map(({ command = [] }) => [...command]),
    ...manifests.flatMap(({ spec }) =>
      (spec.template?.spec.containers ?? []).map(({ command = [], args = [] }) => [...command, ...args]),
    ),
    ...deployFiles
      .filter((path) => path.endsWith('.service'))
      .flatMap(unitOf)
      .filter(([key]) => key === 'ExecStart')
      .map(([, line]) => line.split(' ')),
  ]
  return lists.filter(([program = '']) => program.endsWith('/celeriac')).map(([, ...words]) => words)
}
