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
