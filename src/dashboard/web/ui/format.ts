// How values are written everywhere, in the language and the zone of whoever looks.

const count = new Intl.NumberFormat()
const short = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 1 })

export function tellCount(value: number): string {
  return count.format(value)
}

/** As `12.3K`, where there is little room. */
export function tellShort(value: number): string {
  return Math.abs(value) < 10_000 ? count.format(value) : short.format(value)
}

const scales: readonly (readonly [ms: number, unit: string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
]

/**
 * A duration in one unit, or in two of long ones: `240 ms`, `1.2 s`, `3 min 20 s`, `2 d 4 h`. One that ends before it
 * begins, as the clocks of two machines may have it, is none.
 */
export function tellDuration(duration: number): string {
  const ms = Math.max(0, duration)
  if (Math.round(ms) < 1000) return ms < 10 && ms > 0 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`
  if (ms < 59_500) return `${(ms / 1000).toFixed(ms < 9950 ? 1 : 0)} s`
  // Rounded before it is split: what is left of the larger unit is never a whole one of it.
  const at = scales.findIndex(([scale], each) => roundTo(ms, scales[each + 1]?.[0] ?? scale) >= scale)
  const [scale, unit] = scales[at] ?? [1000, 's']
  const [next, nextUnit] = scales[at + 1] ?? [1000, 's']
  const rounded = roundTo(ms, next)
  const whole = Math.floor(rounded / scale)
  const rest = (rounded % scale) / next
  return rest === 0 ? `${whole} ${unit}` : `${whole} ${unit} ${rest} ${nextUnit}`
}

function roundTo(ms: number, scale: number): number {
  return Math.round(ms / scale) * scale
}

export function tellBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3))
  const value = bytes / 1000 ** power
  return `${power === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[power]}`
}

export function tellPart(part: number): string {
  return `${(part * 100).toFixed(part > 0 && part < 0.1 ? 1 : 0)} %`
}

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' })
const units: readonly (readonly [ms: number, unit: Intl.RelativeTimeFormatUnit])[] = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1000, 'second'],
]

/** `3 min. ago`, `in 2 hr.` */
export function tellAgo(at: number, now: number): string {
  const distance = at - now
  if (Math.abs(distance) < 1500) return 'now'
  const [scale, unit] = units.find(([ms]) => Math.abs(distance) >= ms) ?? [1000, 'second']
  return relative.format(Math.round(distance / scale), unit)
}

const moment = new Intl.DateTimeFormat('sv-SE', {
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
})

/** `2026-11-29 14:03:07`, in the zone of whoever looks. */
export function tellMoment(at: number): string {
  return moment.format(at)
}
