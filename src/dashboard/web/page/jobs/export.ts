import type { ExportColumn } from '../../../../control/export-columns.js'

export type ExportFormat = 'csv' | 'jsonl'

/**
 * Counts the rows of an export in its bytes as they come. A line break within quotes, which CSV may have, ends no row;
 * JSON has none within.
 */
export function createRowCounter(format: ExportFormat) {
  let lines = 0
  let isQuoted = false
  return {
    add(bytes: Uint8Array): void {
      for (const byte of bytes) {
        if (byte === quote && format === 'csv') isQuoted = !isQuoted
        else if (byte === lineEnd && !isQuoted) lines += 1
      }
    },
    /** Without the heading. */
    get rows(): number {
      return format === 'csv' ? Math.max(0, lines - 1) : lines
    },
  }
}

const quote = 0x22
const lineEnd = 0x0a

/** `jobs-2026-11-29-1403.csv` */
export function fileName(format: ExportFormat, at: Date): string {
  const [day = '', time = ''] = at.toISOString().split('T')
  return `jobs-${day}-${time.slice(0, 5).replace(':', '')}.${format}`
}

const exported: Readonly<Record<string, readonly ExportColumn[]>> = {
  task: ['task'],
  id: ['id'],
  state: ['state'],
  queue: ['queue'],
  owner: ['owner'],
  tags: ['tags'],
  attempts: ['attempt', 'maxAttempts'],
  priority: ['priority'],
  created: ['createdAt'],
  wait: ['waitMs'],
  duration: ['durationMs'],
  finished: ['finishedAt'],
  worker: ['worker'],
  progress: ['progress'],
  payload: ['payload'],
  outcome: ['result', 'errorName', 'errorMessage'],
}

/** What a file has of the columns that the list shows. */
export function toExportColumns(shown: ReadonlySet<string>): string {
  return Object.entries(exported)
    .flatMap(([id, names]) => (shown.has(id) ? names : []))
    .join(',')
}
