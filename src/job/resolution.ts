import { ConfigError } from '../errors.js'

/**
 * What happened is kept by the minute for two days, by the hour for a month, by the day for a year. Each begins where
 * one begins in UTC.
 */
export const resolutions = Object.freeze([1, 60, 1440] as const)

/** Minutes. */
export type Resolution = (typeof resolutions)[number]

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** A little longer than what is promised, so that a range that reaches as far finds its beginning. */
export const keptMs: Readonly<Record<Resolution, number>> = Object.freeze({
  1: 49 * hourMs,
  60: 32 * dayMs,
  1440: 400 * dayMs,
})

/** A time that is looked at. */
export interface Span {
  readonly from: Date
  readonly to: Date
}

export interface SteppedSpan extends Span {
  /** Whole minutes, whole hours, or whole days. */
  readonly stepMs: number
}

const steps = [1, 5, 15, 30, 60, 120, 360, 720, 1440, 7 * 1440].map((minutes) => minutes * minuteMs)
const mostSteps = 96

/**
 * The step of a chart over so much time that its points can be told apart: a minute for an hour, 15 minutes for a day,
 * 2 hours for a week, 12 hours for a month. What began longer ago than minutes are kept is shown by the hour at best.
 *
 * @param agoMs how long ago the range began. Default: as long as it is
 */
export function stepFor(rangeMs: number, agoMs = rangeMs): number {
  const least = finestFor(agoMs) * minuteMs
  const fitting = steps.filter((step) => step >= least)
  return fitting.find((step) => rangeMs / step <= mostSteps) ?? 7 * dayMs
}

/** The finest resolution that is kept of a time so long ago. */
function finestFor(agoMs: number): Resolution {
  return resolutions.find((resolution) => agoMs <= keptMs[resolution]) ?? 1440
}

/** Where the steps of a chart lie: each begins at a multiple of the step since 1970, in UTC. */
export interface Steps {
  readonly from: Date
  readonly stepMs: number
  readonly count: number
  /** By which rows they can be made. */
  readonly resolution: Resolution
}

const mostPoints = 2000

/** @throws {ConfigError} for steps that no rows are kept for, or more than anybody can look at */
export function toSteps({ from, to, stepMs }: SteppedSpan, now: Date): Steps {
  const start = Math.floor(from.getTime() / stepMs) * stepMs
  const count = Math.ceil((to.getTime() - start) / stepMs)
  const resolution = [...resolutions].reverse().find((each) => stepMs % (each * minuteMs) === 0)
  if (resolution === undefined || stepMs <= 0)
    throw new ConfigError(`A chart takes steps of whole minutes, and got ${stepMs} ms.`)
  if (!(count >= 1 && count <= mostPoints))
    throw new ConfigError(
      `A chart takes 1 to ${mostPoints} steps of ${stepMs} ms, and got ${from.toISOString()} to ${to.toISOString()}.`,
    )
  if (resolution < finestFor(now.getTime() - from.getTime()))
    throw new ConfigError(
      `A chart from ${from.toISOString()} on takes a step of ${finestFor(now.getTime() - from.getTime())} minutes or more: what lies so long ago is kept no finer.`,
    )
  return { from: new Date(start), stepMs, count, resolution }
}

/** Rows of one resolution. */
export interface Piece extends Span {
  readonly resolution: Resolution
}

/** Of more than so much time a part of an hour does not matter, and the rows of its minutes would be many. */
const byMinuteMs = 3 * hourMs

/**
 * A range as pieces of the coarsest rows that fill it, so that few are read. Its ends are widened to whole minutes; to
 * whole hours where it is long, or long ago.
 */
export function toPieces({ from, to }: Span, now: Date): Piece[] {
  const isLong = to.getTime() - from.getTime() > byMinuteMs
  const finest = Math.max(isLong ? 60 : 1, finestFor(now.getTime() - from.getTime()))
  const start = Math.floor(from.getTime() / (finest * minuteMs)) * finest * minuteMs
  const end = Math.ceil(to.getTime() / (finest * minuteMs)) * finest * minuteMs
  const fitting = [...resolutions].reverse().filter((each) => each >= finest)
  return fill(start, end, fitting)
}

function fill(from: number, to: number, [coarsest, ...finer]: readonly Resolution[]): Piece[] {
  if (coarsest === undefined || from >= to) return []
  const size = coarsest * minuteMs
  const start = Math.ceil(from / size) * size
  const end = Math.floor(to / size) * size
  if (start >= end) return fill(from, to, finer)
  const piece = { resolution: coarsest, from: new Date(start), to: new Date(end) }
  return [...fill(from, start, finer), piece, ...fill(end, to, finer)]
}
