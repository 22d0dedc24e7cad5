interface Row {
  readonly id: string
}

export interface Held<Item extends Row> {
  /** In the order in which they are shown; each as it was heard of last. */
  readonly rows: readonly Item[]
  /** Which of them no longer belong to the list. */
  readonly gone: ReadonlySet<string>
  /** How many there are that are not shown. */
  readonly fresh: number
}

/**
 * What one reads stays where it is while the list goes on: rows change in their place, and new ones are only counted.
 *
 * @param isBefore whether a row comes before another in the order of the list, where that is known
 */
export function hold<Item extends Row>(
  shown: readonly Item[],
  latest: readonly Item[],
  isBefore?: (one: Item, other: Item) => boolean,
): Held<Item> {
  const byId = new Map(latest.map((row) => [row.id, row]))
  const known = new Set(shown.map(({ id }) => id))
  const last = shown.findLastIndex(({ id }) => byId.has(id))
  const end = latest.at(-1)
  /** Others may be missing only because newer ones have filled the page. */
  const isWithin = (row: Item, at: number) =>
    latest.length < shown.length || at < last || (end !== undefined && isBefore?.(row, end) === true)
  return {
    rows: shown.map((row) => byId.get(row.id) ?? row),
    gone: new Set(shown.flatMap((row, at) => (!byId.has(row.id) && isWithin(row, at) ? [row.id] : []))),
    fresh: latest.filter(({ id }) => !known.has(id)).length,
  }
}
