import { type Finding, headings, toCells } from './finding.js'
import { describeMachine, type Machine } from './machine.js'

/** Prints what was found, in columns. */
export function printFindings(machine: Machine, findings: readonly Finding[]): void {
  const rows = findings.map(toCells)
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
  console.log(`\n${describeMachine(machine).join('\n')}\n`)
  print(headings)
  print(widths.map((width) => '-'.repeat(width)))
  for (const row of rows) print(row)
}
