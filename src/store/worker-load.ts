import { type Resolution, type SteppedSpan, type Steps, toSteps } from '../job/resolution.js'

/** How much a worker has to do, as it says itself: every few seconds. */
export interface WorkerLoad {
  /** Jobs that it runs. */
  readonly running: number
  /** Jobs that it may run at once. */
  readonly concurrency: number
  /** Bytes: resident, without its pool. */
  readonly memory: number
  /** How late its event loop was. */
  readonly loopDelayMs: number
  /** Part of one core. */
  readonly cpu: number
  /** Attempts that have ended since it last said so. */
  readonly processed: number
}

export interface WorkerChartQuery extends SteppedSpan {
  readonly workerId: string
}

/** A worker over time, in steps without gaps, oldest first. */
export interface WorkerChart {
  /** Where the first step begins. */
  readonly from: Date
  readonly stepMs: number
  readonly points: readonly WorkerPoint[]
}

/** The most that a worker said in a step, and of attempts the sum. `null`: it said nothing. */
export type WorkerPoint = { readonly at: Date } & { readonly [Name in keyof WorkerLoad]: number | null }

/** Workers are kept by the minute and by the hour: none lives for so long that days are of use. */
export const workerResolutions: readonly Resolution[] = Object.freeze([1, 60])

/** @throws {ConfigError} as `toSteps` */
export function toWorkerSteps(query: WorkerChartQuery, now: Date): Steps {
  const steps = toSteps(query, now)
  return steps.resolution === 1440 ? { ...steps, resolution: 60 } : steps
}

/** @param found by number */
export function toWorkerChart(
  { from, stepMs, count }: Steps,
  found: ReadonlyMap<number, WorkerLoad>,
): WorkerChart {
  const points = Array.from({ length: count }, (_, step) => ({
    at: new Date(from.getTime() + step * stepMs),
    ...(found.get(step) ?? silence),
  }))
  return { from, stepMs, points }
}

const silence = Object.freeze({
  ...{ running: null, concurrency: null, memory: null, loopDelayMs: null, cpu: null, processed: null },
})
