import type { Outcome } from './runner.js'

/** A table of all runs together, and what did not hold. */
export function printOutcomes(outcomes: readonly Outcome[]): string {
  const failed = outcomes.filter(({ failure }) => failure !== undefined)
  const skipped = outcomes.filter(({ skipped }) => skipped !== undefined)
  const held = outcomes.length - failed.length - skipped.length
  const counts = sumCounts(outcomes)
  const width = Math.max(0, ...counts.map(([name]) => name.length))
  return [
    '',
    ...counts.map(([name, count]) => `${name.padEnd(width)}  ${String(count).padStart(9)}`),
    '',
    ...failed.map(({ name }) => `BROKEN: ${name}`),
    `${held} held, ${failed.length} broken, ${skipped.length} skipped.`,
  ].join('\n')
}

/** Times are no sums, and stand with the run that they belong to. */
function sumCounts(outcomes: readonly Outcome[]): [string, number][] {
  const sums = new Map<string, number>()
  for (const { counts } of outcomes.flatMap(({ verdicts }) => verdicts))
    for (const [name, count] of Object.entries(counts))
      if (!/\bms$/.test(name)) sums.set(name, (sums.get(name) ?? 0) + count)
  return [...sums].filter(([, sum]) => sum > 0)
}
