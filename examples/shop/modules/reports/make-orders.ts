// Wrote orders.csv, always the same: npx tsx examples/shop/modules/reports/make-orders.ts
import { writeFileSync } from 'node:fs'

const orders = 20_000
const products: readonly (readonly [name: string, cents: number])[] = [
  ['Desk lamp', 3990],
  ['Tea pot', 2450],
  ['Wool blanket', 7900],
  ['Notebook', 690],
  ['Garden shears', 3175],
  ['Bread knife', 4420],
  ['Candle', 520],
  ['Rain jacket', 11_900],
  ['Picture frame', 1850],
  ['Wall clock', 5600],
]
const countries = ['DE', 'FR', 'IT', 'ES', 'NL', 'PL', 'SE', 'AT', 'CZ', 'PT']
const firstDay = Date.UTC(2025, 0, 1)

const random = seeded(20_250_101)
const lines = Array.from({ length: orders }, (_, index) => order(index))
writeFileSync(
  new URL('orders.csv', import.meta.url),
  `${['order,date,country,product,units,cents', ...lines].join('\n')}\n`,
)

function order(index: number): string {
  const day = Math.floor((index / orders) * 365)
  const date = new Date(firstDay + day * 86_400_000).toISOString().slice(0, 10)
  const [product, cents] = pick(products)
  return [10_000 + index, date, pick(countries), product, 1 + Math.floor(random() ** 3 * 6), cents].join(',')
}

/** The first ones of a list are picked more often, as in a shop. */
function pick<Item>(items: readonly Item[]): Item {
  const item = items[Math.floor(random() ** 1.6 * items.length)]
  if (item === undefined) throw new Error('There is nothing to pick from.')
  return item
}

/** Mulberry32: the same numbers for the same seed. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
