/** The invariants, as they can be seen from outside. */
export const rules = {
  I1: 'every accepted job reaches exactly one end, in time',
  I2: 'nothing refused or rolled back runs, and one wish makes one job',
  I3: 'no attempt starts after an end',
  I4: "a row's result, attempt and worker are those of its last attempt",
  I5: 'nothing starts again but for a retry or for a fault that met it',
  I6: 'two attempts never both commit, and an effect that is exactly once is there once',
  I7: 'a status never goes back from an end, nor from one end to another',
  I9: 'after a kill, the jobs that ran there start again in time',
  I10: 'every answer comes in time',
  I12: 'an id is never given to two jobs',
} as const

export type Rule = keyof typeof rules

export interface Violation {
  readonly rule: Rule
  /** Of the job; `null` when it is about the run as a whole, or about a wish without a job. */
  readonly id: string | null
  readonly detail: string
}

export interface Verdict {
  /** In the order in which they are printed. */
  readonly counts: Readonly<Record<string, number>>
  readonly violations: readonly Violation[]
}

export type Report = (rule: Rule, id: string | null, detail: string) => void

const mostPerRule = 10

/** The counts as a table, and each rule that was broken, with its first cases. */
export function printVerdict({ counts, violations }: Verdict): string {
  const names = Object.keys(counts)
  const width = Math.max(...names.map((name) => name.length))
  const lines = names.map((name) => `${name.padEnd(width)}  ${String(counts[name]).padStart(10)}`)
  return [...lines, '', ...printViolations(violations)].join('\n')
}

function printViolations(violations: readonly Violation[]): string[] {
  if (violations.length === 0) return ['No violation.']
  return (Object.keys(rules) as Rule[]).flatMap((rule) => {
    const cases = violations.filter((violation) => violation.rule === rule)
    if (cases.length === 0) return []
    const shown = cases.slice(0, mostPerRule).map(({ id, detail }) => `  ${id ?? '(the run)'}: ${detail}`)
    const more = cases.length > mostPerRule ? [`  … and ${cases.length - mostPerRule} more`] : []
    return [`${rule} (${rules[rule]}): ${cases.length} violations`, ...shown, ...more]
  })
}
