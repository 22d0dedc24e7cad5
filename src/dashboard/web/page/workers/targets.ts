interface Worker {
  readonly id: string
}

/** Whom an order is for: those that are selected and live; all that live only while none is selected. */
export function targetsOf<Each extends Worker>(
  live: readonly Each[],
  selected: ReadonlySet<string>,
): readonly Each[] {
  return selected.size === 0 ? live : live.filter(({ id }) => selected.has(id))
}
