import { addSpread, countOf, noSpread, type Spread, spreadBoundsMs } from '../../job/move.js'

/** As prom-client renders it. Of labels that many values share, the text is made once. */
export interface Value {
  readonly value: number
  readonly labels?: Readonly<Record<string, string | number>>
  readonly sharedLabels?: Readonly<Record<string, string>>
  /** Of a part of a histogram. */
  readonly metricName?: string
}

export type Labels = Readonly<Record<string, string>>

/** Values of one metric, each of which is added to the one of the same labels. */
export class Sums {
  readonly #values = new Map<string, { value: number; readonly labels: Labels }>()

  add(labels: Labels, value: number): void {
    const key = Object.values(labels).join('\0')
    const present = this.#values.get(key)
    if (present) present.value += value
    else this.#values.set(key, { labels, value })
  }

  values(): Value[] {
    return [...this.#values.values()]
  }
}

/** The same of a histogram. */
export class Spreads {
  readonly #spreads = new Map<string, { spread: Spread; readonly labels: Labels }>()

  add(labels: Labels, spread: Spread): void {
    const key = Object.values(labels).join('\0')
    const present = this.#spreads.get(key)
    if (present) present.spread = addSpread(present.spread, spread)
    else this.#spreads.set(key, { labels, spread: addSpread(noSpread, spread) })
  }

  values(name: string): Value[] {
    return [...this.#spreads.values()].flatMap(({ labels, spread }) => toValues(name, labels, spread))
  }
}

/** Of the bounds that the store keeps: as many as a chart needs. */
export const shownBoundsMs: readonly number[] = [
  ...[5, 20, 100, 500, 1000, 5000, 10_000, 30_000, 60_000, 300_000, 1_800_000, 21_600_000],
]
const shown = shownBoundsMs.map((ms) => ({ at: spreadBoundsMs.indexOf(ms), le: String(ms / 1000) }))

function toValues(name: string, sharedLabels: Labels, spread: Spread): Value[] {
  const values: Value[] = []
  let below = 0
  let from = 0
  for (const { at, le } of shown) {
    for (; from <= at; from += 1) below += spread.counts[from] ?? 0
    values.push({ metricName: `${name}_bucket`, labels: { le }, sharedLabels, value: below })
  }
  const count = countOf(spread)
  values.push({ metricName: `${name}_bucket`, labels: { le: '+Inf' }, sharedLabels, value: count })
  values.push({ metricName: `${name}_sum`, sharedLabels, value: spread.ms / 1000 })
  values.push({ metricName: `${name}_count`, sharedLabels, value: count })
  return values
}
