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

/** What one reads stays where it is while the list goes on: rows change in their place, and new ones are only counted. */
export function hold<Item extends Row>(shown: readonly Item[], latest: readonly Item[]): Held<Item> {
  const byId = new Map(latest.map((row) => [row.id, row]))
  const known = new Set(shown.map(({ id }) => id))
  const pushed = pushedOut(shown, latest)
  return {
    rows: shown.map((row) => byId.get(row.id) ?? row),
    gone: new Set(shown.slice(0, pushed).flatMap(({ id }) => (byId.has(id) ? [] : [id]))),
    fresh: latest.filter(({ id }) => !known.has(id)).length,
  }
}

/** From where on rows may be missing only because newer ones have filled the page. */
function pushedOut(shown: readonly Row[], latest: readonly Row[]): number {
  const ids = new Set(latest.map(({ id }) => id))
  const last = shown.findLastIndex(({ id }) => ids.has(id))
  const isFull = latest.length >= shown.length
  return isFull ? last + 1 : shown.length
}
