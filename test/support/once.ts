import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'
import { until } from './until.js'

/**
 * Makes a folder once for all test files of a run, which are in several processes: the first that asks makes it, the
 * others wait. Gives its path.
 */
export async function oncePerRun(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(inject('runFolder'), name)
  const outcome = join(inject('runFolder'), `${name}.outcome`)
  if (isFirst(folder)) {
    await make(folder).then(
      () => writeFileSync(outcome, ''),
      (error: Error) => writeFileSync(outcome, error.stack ?? error.message),
    )
  }
  await until(() => existsSync(outcome), { timeoutMs: 180_000, everyMs: 100 })
  const trouble = readFileSync(outcome, 'utf8')
  if (trouble !== '') throw new Error(`${name} could not be made: ${trouble}`)
  return folder
}

function isFirst(folder: string): boolean {
  try {
    mkdirSync(folder)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}
