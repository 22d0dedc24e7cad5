import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

const mostFiles = 5000

/**
 * The shortest way by relative imports from one file to another, both included; `undefined` when there is none to be
 * seen. It reads source text, and is meant for error messages only.
 */
export function findImportChain(from: string, to: string): string[] | undefined {
  const importedBy = new Map<string, string | undefined>([[from, undefined]])
  for (const file of importedBy.keys()) {
    if (file === to) return chainTo(file, importedBy)
    if (importedBy.size > mostFiles) return undefined
    for (const imported of importsOf(file)) {
      if (!importedBy.has(imported)) importedBy.set(imported, file)
    }
  }
  return undefined
}

function chainTo(file: string, importedBy: ReadonlyMap<string, string | undefined>): string[] {
  const chain: string[] = []
  for (let at: string | undefined = file; at !== undefined; at = importedBy.get(at)) chain.unshift(at)
  return chain
}

const specifierPattern = /\b(?:from|import|require)\b\s*\(?\s*(['"])(\.{1,2}\/[^'"\n]{1,500})\1/g

function importsOf(file: string): string[] {
  const specifiers = [...read(file).matchAll(specifierPattern)].map((match) => match[2] ?? '')
  return specifiers.flatMap((specifier) => locate(resolve(dirname(file), specifier)) ?? [])
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** TypeScript writes `./a.js` for `./a.ts`, and CommonJS leaves extensions and `index` out. */
function locate(path: string): string | undefined {
  const bare = path.replace(/\.[cm]?jsx?$/, '')
  const isScript = bare !== path
  const typed = path.replace(/js(x?)$/, 'ts$1')
  const candidates = isScript
    ? [path, typed, `${bare}.tsx`]
    : [
        path,
        ...endings.map((ending) => `${path}${ending}`),
        ...endings.map((ending) => `${path}/index${ending}`),
      ]
  return candidates.find(isFile)
}

const endings = ['.ts', '.tsx', '.mts', '.cts', '.js', '.mjs', '.cjs']

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false
}
