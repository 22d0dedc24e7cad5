/** One line of the report. */
export interface Finding {
  readonly part: string
  /** What was measured. */
  readonly name: string
  /** The figure with its unit and spread. */
  readonly figure: string
  /** What the figure is of another, and of which. */
  readonly ratio?: string
  readonly target?: string
  readonly met?: boolean
}

const headings = ['part', 'measured', 'ratio', 'target', 'met', 'figure: median (spread)']

/** Ratios first: on a shared machine only they mean something. */
export function printFindings(machine: string, findings: readonly Finding[]): void {
  const rows = findings.map(({ part, name, ratio = '', target = '', met, figure }) => [
    part,
    name,
    ratio,
    target,
    met === undefined ? '' : met ? 'yes' : 'NO',
    figure,
  ])
  const widths = headings.map((heading, at) =>
    Math.max(heading.length, ...rows.map((row) => row[at]?.length ?? 0)),
  )
  const print = (row: readonly string[]) =>
    console.log(
      row
        .map((cell, at) => cell.padEnd(widths[at] ?? 0))
        .join('  ')
        .trimEnd(),
    )
  console.log(`\n${machine}\n`)
  print(headings)
  print(widths.map((width) => '-'.repeat(width)))
  for (const row of rows) print(row)
}
