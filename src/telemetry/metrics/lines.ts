import { addSpread, countOf, noSpread, type Spread, spreadBoundsMs } from '../../job/move.js'

/** As Prometheus reads them: `task="a",queue="b"`. */
export type Labels = string

/**
 * Lines of one metric, each the sum of what was given for its labels. They are text at once: an installation with 500
 * pairs of task and queue has 27,000 of them, and as objects they took longer than all else of a scrape.
 */
export class Sums {
  readonly #values = new Map<Labels, number>()

  add(labels: Labels, value: number): void {
    this.#values.set(labels, (this.#values.get(labels) ?? 0) + value)
  }

  lines(name: string): string[] {
    return [...this.#values].map(([labels, value]) => line(name, labels, value))
  }
}

/** The same of a histogram. */
export class Spreads {
  readonly #spreads = new Map<Labels, Spread>()

  add(labels: Labels, spread: Spread): void {
    this.#spreads.set(labels, addSpread(this.#spreads.get(labels) ?? noSpread, spread))
  }

  lines(name: string): string[] {
    return [...this.#spreads].map(([labels, spread]) => histogramLines(name, labels, spread))
  }
}

/** Of the bounds that the store keeps: as many as a chart needs. */
export const shownBoundsMs: readonly number[] = Object.freeze([
  ...[5, 20, 100, 500, 1000, 5000, 10_000, 30_000, 60_000, 300_000, 1_800_000, 21_600_000],
])
const shown = shownBoundsMs.map((ms) => ({ at: spreadBoundsMs.indexOf(ms), le: `,le="${ms / 1000}"} ` }))

function histogramLines(name: string, labels: Labels, spread: Spread): string {
  const start = `${name}_bucket{${labels}`
  let text = ''
  let below = 0
  let from = 0
  for (const { at, le } of shown) {
    for (; from <= at; from += 1) below += spread.counts[from] ?? 0
    text += `${start}${le}${below}\n`
  }
  const count = countOf(spread)
  return `${text}${start},le="+Inf"} ${count}\n${name}_sum{${labels}} ${spread.ms / 1000}\n${name}_count{${labels}} ${count}`
}

export function line(name: string, labels: Labels, value: number): string {
  return labels === '' ? `${name} ${value}` : `${name}{${labels}} ${value}`
}

export function toLabels(values: Readonly<Record<string, string>>): Labels {
  return Object.entries(values)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',')
}

function escaped(value: string): string {
  return /["\\\n]/.test(value) ? value.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n') : value
}
