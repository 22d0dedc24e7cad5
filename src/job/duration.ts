/** A length of time: milliseconds as a number, or a number with a unit: `'250ms'`, `'30s'`, `'5m'`, `'2h'`, `'7d'`. */
export type Duration = number | `${number}${DurationUnit}`

export type DurationUnit = 'ms' | 's' | 'm' | 'h' | 'd'

const unitMs: Readonly<Record<DurationUnit, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}
const pattern = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/

/** One hundred years: far enough for any job, near enough for every date type that we meet. */
export const longestMs = 36_525 * unitMs.d

/** Milliseconds of `duration`, or `undefined` when it is none, is negative or is over a hundred years. */
export function toMs(duration: unknown): number | undefined {
  const ms = typeof duration === 'number' ? duration : parse(duration)
  if (ms === undefined || !Number.isFinite(ms) || ms < 0 || ms > longestMs) return undefined
  return Math.round(ms)
}

function parse(text: unknown): number | undefined {
  const match = typeof text === 'string' ? pattern.exec(text.trim()) : null
  if (!match) return undefined
  return Number(match[1]) * unitMs[match[2] as DurationUnit]
}

/** For people: `250 ms`, `1.5 s`, `90 s`, `5 min`, `36 h`, `30 d`. */
export function tellMs(ms: number): string {
  const name = tellFrom.find(([, from]) => ms >= from)?.[0] ?? 'ms'
  return `${Math.round((ms / unitMs[name]) * 10) / 10} ${name === 'm' ? 'min' : name}`
}

/** Two of a unit, but for seconds. */
const tellFrom: readonly (readonly [name: DurationUnit, fromMs: number])[] = [
  ['d', 2 * unitMs.d],
  ['h', 2 * unitMs.h],
  ['m', 2 * unitMs.m],
  ['s', unitMs.s],
]
