const longestName = 100

/** The candidate that `name` was most likely meant to be, or `undefined` when none is near. */
export function suggest(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > longestName) return undefined
  const wanted = name.toLowerCase()
  let nearest: { readonly name: string; readonly distance: number } | undefined
  for (const candidate of candidates) {
    const limit = (nearest?.distance ?? Math.max(2, Math.floor(name.length / 3)) + 1) - 1
    if (Math.abs(candidate.length - name.length) > limit) continue
    const distance = editDistance(wanted, candidate.toLowerCase())
    if (distance <= limit && distance < Math.max(name.length, candidate.length)) {
      nearest = { name: candidate, distance }
    }
  }
  return nearest?.name
}

/** `Did you mean "x"?` with a space before it, or nothing. */
export function hint(name: string, candidates: Iterable<string>): string {
  const suggestion = suggest(name, candidates)
  return suggestion === undefined ? '' : ` Did you mean "${suggestion}"?`
}

/** How many letters must be inserted, removed or replaced to get from one to the other. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= to.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[to.length] ?? 0
}
