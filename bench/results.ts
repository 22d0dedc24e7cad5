import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Finding } from './finding.js'
import type { Machine } from './machine.js'

/** What one part found, as it is kept in `bench/results/<part>.json`. */
export interface Result {
  readonly part: string
  /** ISO 8601. */
  readonly measuredAt: string
  readonly tookSeconds: number
  readonly machine: Machine
  readonly findings: readonly Finding[]
}

const folder = fileURLToPath(new URL('results', import.meta.url))

/** Keeps a part's result, in the place of its last one. What a quick run found is kept apart, and not committed. */
export function saveResult(result: Result, quick: boolean): string {
  const path = join(folderOf(quick), `${result.part}.json`)
  mkdirSync(folderOf(quick), { recursive: true })
  writeFileSync(path, `${JSON.stringify(result, null, 2)}\n`)
  return path
}

/** All that is kept, by part. */
export function readResults(quick = false): Map<string, Result> {
  const results = filesIn(folderOf(quick)).map(
    (file) => JSON.parse(readFileSync(join(folderOf(quick), file), 'utf8')) as Result,
  )
  return new Map(results.map((result) => [result.part, result]))
}

function folderOf(quick: boolean): string {
  return quick ? join(folder, 'quick') : folder
}

function filesIn(path: string): string[] {
  try {
    return readdirSync(path).filter((file) => file.endsWith('.json'))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
