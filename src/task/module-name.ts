/** A pattern of `modules`, taken apart. */
export interface ModulePattern {
  /** As it was written. */
  readonly text: string
  /** Its parts, without a last `tasks.ts` that may have been written. */
  readonly parts: readonly string[]
  /** How many parts stand before the first wildcard: where the search begins. */
  readonly fixed: number
}

export function parsePattern(text: string): ModulePattern {
  const parts = text
    .replaceAll('\\', '/')
    .replace(/\/+$/, '')
    .replace(/^(?:\.\/)+/, '')
    .split('/')
  if (parts.length > 1 && fileNamePattern.test(parts.at(-1) ?? '')) parts.pop()
  const firstWildcard = parts.findIndex(hasWildcard)
  return { text, parts, fixed: firstWildcard === -1 ? parts.length : firstWildcard }
}

const fileNamePattern = /^tasks\.[^/]+$/

function hasWildcard(part: string): boolean {
  return /[*?[\]{}()!]/.test(part)
}

/**
 * The module that a folder is: what the pattern's wildcards matched, joined by dots. `src/modules/*` gives `reports`,
 * `src/**` gives `billing.invoices`, `src/*\/jobs` gives the middle part. Without a wildcard, or when `**` matched
 * nothing, it is the folder's own name.
 *
 * @param folder its path from the pattern's root, in parts
 */
export function moduleNameOf(pattern: ModulePattern, folder: readonly string[]): string {
  const matched = matchedParts(pattern.parts, folder)
  return matched.length > 0 ? matched.join('.') : (folder.at(-1) ?? '')
}

/** `**` matches any number of parts; up to the first one, and after the last one, parts pair off one to one. */
function matchedParts(pattern: readonly string[], folder: readonly string[]): string[] {
  const first = pattern.indexOf('**')
  if (first === -1) return folder.filter((_, index) => hasWildcard(pattern[index] ?? ''))
  const after = pattern.slice(pattern.lastIndexOf('**') + 1)
  const end = folder.length - after.length
  return [
    ...folder.slice(0, first).filter((_, index) => hasWildcard(pattern[index] ?? '')),
    ...folder.slice(first, end),
    ...folder.slice(end).filter((_, index) => hasWildcard(after[index] ?? '')),
  ]
}
