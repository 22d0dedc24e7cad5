import { useRef } from 'react'
import { keepPlaces } from './places.js'
import { usePointed } from './use-pointed.js'

interface Placed<Row> {
  readonly id: string
  readonly original: Row
}

/**
 * Lets no row of a table move while one points at it. What has gone meanwhile stays until one leaves.
 * @param list what the table shows, and by what it is sorted: rows of another list have other places. `undefined`: rows
 *   move as they like
 */
export function usePlaces<Row>(latest: readonly Row[], idOf: (row: Row) => string, list: string | undefined) {
  const { isPointed, ref } = usePointed()
  const shown = useRef<{ readonly list: string | undefined; readonly rows: readonly Row[] }>(undefined)
  const held = isPointed && list !== undefined && shown.current?.list === list ? shown.current.rows : []
  const known = new Set(latest.map(idOf))
  const gone = held.filter((row) => !known.has(idOf(row)))
  return {
    ref,
    rows: gone.length === 0 ? latest : [...latest, ...gone],
    isGone: (row: Row) => gone.includes(row),
    /** The rows, sorted, as they are to be shown. */
    place<Item extends Placed<Row>>(sorted: readonly Item[]): readonly Item[] {
      const placed = held.length === 0 ? sorted : keepPlaces(held.map(idOf), sorted)
      shown.current = { list, rows: placed.map(({ original }) => original) }
      return placed
    },
  }
}
