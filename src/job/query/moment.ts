import { toMs } from '../duration.js'
import type { Comparison, QueryMoment } from './query.js'

/** A moment as it is written, or a day, which is from one moment up to another. */
export type WrittenMoment = QueryMoment | { readonly day: string; readonly until: string }

/**
 * `now`, `1h` (so long ago), `+1h` (in so long), `2026-11-01`, `2026-11-01T10:00`, with seconds or without. Without a
 * zone it is UTC, so that a query means the same to all who share it.
 */
export function readMoment(text: string): WrittenMoment | undefined {
  if (/^now$/i.test(text)) return { agoMs: 0 }
  const isAhead = text.startsWith('+')
  const ms = toMs(isAhead ? text.slice(1) : text)
  if (ms !== undefined) return { agoMs: isAhead && ms > 0 ? -ms : ms }
  return readDate(text)
}

const datePattern =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?\s?(Z|[+-]\d\d:\d\d)?)?$/i

const dayMs = 86_400_000

function readDate(text: string): WrittenMoment | undefined {
  const [, day = '', minute, second = '00', fraction = '', zone = 'Z'] = datePattern.exec(text) ?? []
  const start = momentOf(`${day}T00:00:00.000Z`)
  // A month has no 31st of its own: the day after it would be taken.
  if (!start?.toISOString().startsWith(day) || start.getTime() < 0) return undefined
  if (minute === undefined)
    return { day: start.toISOString(), until: new Date(start.getTime() + dayMs).toISOString() }
  const moment = momentOf(`${day}T${minute}:${second}.${fraction.padEnd(3, '0')}${zone.toUpperCase()}`)
  return moment && { at: moment.toISOString() }
}

function momentOf(iso: string): Date | undefined {
  const date = new Date(iso)
  return Number.isNaN(date.getTime()) ? undefined : date
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const

/** Exact, in the largest unit that goes. */
export function formatDuration(ms: number): string {
  const [unit, unitMs] = units.find(([, size]) => ms >= size && ms % size === 0) ?? (['ms', 1] as const)
  return `${ms / unitMs}${unit}`
}

/** @param is what stands before it: a day that is not its beginning needs its time */
export function formatMoment(moment: QueryMoment, is: Comparison): string {
  if ('agoMs' in moment)
    return moment.agoMs === 0
      ? 'now'
      : `${moment.agoMs < 0 ? '+' : ''}${formatDuration(Math.abs(moment.agoMs))}`
  if (is === '>=' || is === '<') return moment.at.replace('T00:00:00.000Z', '').replace('.000Z', 'Z')
  return moment.at.replace('.000Z', 'Z')
}
