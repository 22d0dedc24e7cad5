import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The version in the nearest package.json, at `folder` or above it. */
export function appVersionAt(folder: string): string | undefined {
  try {
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      version?: unknown
    }
    return typeof version === 'string' && version !== '' ? version.slice(0, longest) : undefined
  } catch {
    const parent = dirname(folder)
    return parent === folder ? undefined : appVersionAt(parent)
  }
}

const longest = 100
