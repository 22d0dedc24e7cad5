interface Ticked {
  /** The one before; `undefined`: this is the first. */
  readonly from: string | undefined
  readonly to: string
  readonly isChecked: boolean
}

/** What is selected once everything from one row to another has been ticked, or has no longer been. */
export function toggledRange(
  ids: readonly string[],
  selected: ReadonlySet<string>,
  { from, to, isChecked }: Ticked,
): ReadonlySet<string> {
  const end = ids.indexOf(to)
  const begin = from === undefined ? -1 : ids.indexOf(from)
  const range = begin === -1 ? [to] : ids.slice(Math.min(begin, end), Math.max(begin, end) + 1)
  const next = new Set(selected)
  for (const id of range) {
    if (isChecked) next.add(id)
    else next.delete(id)
  }
  return next
}
