type Values = readonly (number | null)[]

interface Drawn {
  readonly values: Values
  readonly kind?: 'line' | 'area' | 'dashed'
}

/** The last that is drawn lies on top: the first line, and of areas the lowest. */
export function inOrder<Line>(lines: readonly Line[]): Line[] {
  return [...lines].reverse()
}

/**
 * Times in seconds, then the values of each line in the order in which they are drawn. An area stands on the areas
 * before it.
 */
export function toData(from: string, stepMs: number, lines: readonly Drawn[]): (number | null)[][] {
  const start = new Date(from).getTime() / 1000
  const length = Math.max(0, ...lines.map(({ values }) => values.length))
  const times = Array.from({ length }, (_, at) => start + (at * stepMs) / 1000)
  const ground = new Array<number>(length).fill(0)
  const stacked = lines.map(({ kind, values }) =>
    kind === 'area'
      ? values.map((value, at) => {
          ground[at] = (ground[at] ?? 0) + (value ?? 0)
          return value === null ? null : (ground[at] ?? 0)
        })
      : [...values],
  )
  return [times, ...inOrder(stacked)]
}

/** Between which lines, by their place among the drawn, an area lies: its upper edge, and the edge of the one below. */
export function bandsOf(lines: readonly Drawn[]): [upper: number, lower: number][] {
  const places = lines.flatMap(({ kind }, at) => (kind === 'area' ? [lines.length - at] : []))
  return places.slice(1).map((upper, at) => [upper, places[at] ?? 0])
}

/** Places of values with nothing on either side: no line leads to them, so they need a point. */
export function isolated(values: ArrayLike<number | null | undefined>): number[] {
  return Array.from(values, (_, at) => at).filter(
    (at) => isThere(values[at]) && !isThere(values[at - 1]) && !isThere(values[at + 1]),
  )
}

function isThere(value: number | null | undefined): boolean {
  return value !== null && value !== undefined
}

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** Steps of an axis of durations, in milliseconds: those that one counts time by. */
export const timeSteps: readonly number[] = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500],
  ...[1, 2, 5, 10, 30].map((seconds) => seconds * second),
  ...[1, 2, 5, 10, 30].map((minutes) => minutes * minute),
  ...[1, 2, 6, 12].map((hours) => hours * hour),
  ...[1, 2, 5, 10, 30, 100, 300, 1000].map((days) => days * day),
]

/** Steps of an axis of whole things: half a job is none. */
export const wholeSteps: readonly number[] = Array.from({ length: 15 }, (_, power) => 10 ** power).flatMap(
  (ten) => [ten, 2 * ten, 5 * ten],
)
