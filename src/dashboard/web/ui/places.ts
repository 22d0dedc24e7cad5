interface Row {
  readonly id: string
}

/** Those that were there keep their order, whatever they are sorted by now; others come after them. */
export function keepPlaces<Item extends Row>(
  before: readonly string[],
  rows: readonly Item[],
): readonly Item[] {
  const places = new Map(before.map((id, place) => [id, place]))
  const placeOf = ({ id }: Item) => places.get(id) ?? before.length
  return [...rows].sort((one, other) => placeOf(one) - placeOf(other))
}
