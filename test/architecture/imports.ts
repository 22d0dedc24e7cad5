import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'

const src = fileURLToPath(new URL('../../src', import.meta.url))

export interface Import {
  /** A path below `src/`, such as `store/prisma.ts`. */
  readonly from: string
  /** A path below `src/`, or the name of a package. */
  readonly to: string
  readonly isPackage: boolean
  readonly isTypeOnly: boolean
}

/** Every file of `src/` that people wrote, by its path below it. */
export const files: readonly string[] = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.tsx?$/.test(path) && !path.split('/').includes('generated'))
  .sort()

export function textOf(file: string): string {
  return readFileSync(join(src, file), 'utf8')
}

export const imports: readonly Import[] = files.flatMap(importsOf)

function importsOf(file: string): Import[] {
  const text = textOf(file)
  const statements = text.matchAll(
    /^(?:import|export)\s(?<type>type\s)?(?:[^'";]*?\sfrom\s)?'(?<name>[^']+)'/gm,
  )
  const calls = text.matchAll(/\bimport\('(?<name>[^']+)'\)/g)
  return [...statements, ...calls].map(({ groups = {} }) =>
    toImport(file, groups.name ?? '', groups.type !== undefined),
  )
}

function toImport(from: string, name: string, isTypeOnly: boolean): Import {
  if (!name.startsWith('.')) return { from, to: packageOf(name), isPackage: true, isTypeOnly }
  const path = normalize(join(dirname(from), name))
  const found = [path.replace(/\.js$/, '.ts'), path.replace(/\.js$/, '.tsx'), path].find(
    (each) => each.split('/').includes('generated') || existsSync(join(src, each)),
  )
  if (!found) throw new Error(`src/${from} imports ${name}, which is not there.`)
  return { from, to: found, isPackage: false, isTypeOnly }
}

function packageOf(name: string): string {
  if (name.startsWith('node:')) return name
  return name.split('/', name.startsWith('@') ? 2 : 1).join('/')
}

/** The first way back to a file by its imports, or `undefined`. */
export function findCycle(edges: readonly Import[]): string[] | undefined {
  const clean = new Set<string>()
  for (const { from } of edges) {
    const cycle = walk(from, [])
    if (cycle) return cycle
  }
  return undefined

  function walk(file: string, way: readonly string[]): string[] | undefined {
    if (clean.has(file)) return undefined
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file]
    for (const { from, to } of edges) {
      const cycle = from === file ? walk(to, [...way, file]) : undefined
      if (cycle) return cycle
    }
    clean.add(file)
    return undefined
  }
}
