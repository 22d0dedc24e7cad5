/** What a task reported, for a bar: `{ percent: 40 }`, or `{ done: 4, total: 10 }`, or a number of percent. */
export function percentOf(progress: unknown): number | undefined {
  const value = parsed(progress)
  if (typeof value === 'number') return bounded(value)
  if (typeof value !== 'object' || value === null) return undefined
  const { percent, done, total, current } = value as Readonly<Record<string, unknown>>
  if (typeof percent === 'number') return bounded(percent)
  const so = typeof done === 'number' ? done : current
  if (typeof so === 'number' && typeof total === 'number' && total > 0) return bounded((100 * so) / total)
  return undefined
}

/** Its note, or the value as it is. `undefined`: nothing was reported. */
export function tellProgress(progress: unknown): string | undefined {
  const value = parsed(progress)
  if (value === null || value === undefined) return undefined
  if (typeof value === 'string') return value
  if (typeof value === 'object' && 'note' in value && typeof value.note === 'string') return value.note
  return JSON.stringify(value)
}

/** A list has it as JSON text. */
function parsed(progress: unknown): unknown {
  if (typeof progress !== 'string') return progress
  try {
    return JSON.parse(progress)
  } catch {
    return progress
  }
}

function bounded(percent: number): number | undefined {
  return Number.isFinite(percent) ? Math.min(100, Math.max(0, percent)) : undefined
}
