import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

/** What reports of faults name: what moves and remembers jobs, and what the app builds on. */
const named = ['bullmq', 'ioredis', 'pg', '@prisma/client', 'pino', 'express', 'typescript', 'tsx', 'zod']

/** Versions of packages, as this process would load them; those that are not installed are left out. */
export function packageVersions(names: readonly string[] = named): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const version = versionOf(name)
      return version === undefined ? [] : [[name, version] as const]
    }),
  )
}

/** Of what stands in a folder: a package need not let anybody import its package.json. */
function versionOf(name: string): string | undefined {
  for (const folder of createRequire(import.meta.url).resolve.paths(name) ?? []) {
    try {
      const text = readFileSync(join(folder, name, 'package.json'), 'utf8')
      return (JSON.parse(text) as { version: string }).version
    } catch {
      // Not here.
    }
  }
  return undefined
}
