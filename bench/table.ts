import { headings, toCells } from './finding.js'
import { describeMachine } from './machine.js'
import type { Result } from './results.js'

const begin = '<!-- measured:begin. Made by `npm run bench -- table` from bench/results; do not edit. -->'
const end = '<!-- measured:end -->'
const marked = /<!-- measured:begin.*?-->[\s\S]*?<!-- measured:end -->/

/** The document with the table between its marks made anew. */
export function withTable(
  document: string,
  results: ReadonlyMap<string, Result>,
  order: readonly string[],
): string {
  if (!marked.test(document)) throw new Error('The document has no marks for the table.')
  return document.replace(marked, () => `${begin}\n\n${toTable(results, order)}\n\n${end}`)
}

/** Machine, date and findings of each part, in the order given. */
export function toTable(results: ReadonlyMap<string, Result>, order: readonly string[]): string {
  const present = order.flatMap((part) => results.get(part) ?? [])
  const missing = order.filter((part) => !results.has(part))
  return [
    ...toOrigins(present),
    [toRow(headings), toRow(headings.map(() => '---')), ...present.flatMap(toRows)].join('\n'),
    ...(missing.length > 0 ? [`Not measured: ${missing.map((part) => `\`${part}\``).join(', ')}.`] : []),
  ].join('\n\n')
}

/** One line for each machine that parts were measured on, with its parts and their dates. */
function toOrigins(results: readonly Result[]): string[] {
  const byMachine = groupBy(results, ({ machine }) => describeMachine(machine).join('. '))
  return Array.from(byMachine, ([machine, measured]) => {
    const byDate = groupBy(measured, ({ measuredAt }) => measuredAt.slice(0, 10))
    const dates = Array.from(
      byDate,
      ([date, parts]) => `${date}: ${parts.map(({ part }) => part).join(', ')}`,
    )
    return `${machine}. ${dates.join('; ')}.`
  })
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item])
  return groups
}

function toRows({ findings }: Result): string[] {
  return findings.map((finding) => toRow(toCells(finding).map(emphasise)))
}

function emphasise(cell: string): string {
  return cell === 'NO' ? '**no**' : cell
}

function toRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`.replaceAll(/ {2,}/g, ' ')
}
