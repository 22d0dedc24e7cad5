import type { Effect, Fault } from './checker/history.js'
import { percentile } from './checker/recovery.js'
import type { Violation } from './checker/verdict.js'
import type { Health } from './health.js'

/** How long half-open connections were felt: figures that the checker's rules do not know. */
export interface Measures {
  readonly counts: Readonly<Record<string, number>>
  readonly violations: readonly Violation[]
}

export interface MeasureLimits {
  /** From a cut to the next job that the worker took after it. */
  readonly cutRecoveryMs: number
  /** From a cut to a health answer that tells of it. `undefined`: there is no such route. */
  readonly tellWithinMs: number | undefined
}

/** What was claimed before a cut still starts for a moment, or is given back. */
const claimedBeforeMs = 1500

export function measureCuts(
  effects: readonly Effect[],
  faults: readonly Fault[],
  health: readonly Health[],
  { cutRecoveryMs, tellWithinMs }: MeasureLimits,
): Measures {
  const starts = startsByPid(effects)
  const cuts = faults.filter(
    ({ kind, target, name }) => isHalfOpen(name) && kind === 'cut' && target === 'worker',
  )
  const tookMs = cuts.map(({ at, pid }) => {
    const next = (starts.get(pid ?? 0) ?? []).find((start) => start > at + claimedBeforeMs)
    return next === undefined ? Number.POSITIVE_INFINITY : next - at
  })
  const slow = tookMs.filter((ms) => ms > cutRecoveryMs)
  const told = health.flatMap(({ toldMs }) => (toldMs === undefined ? [] : [toldMs]))
  const silent =
    tellWithinMs === undefined ? 0 : health.length - told.filter((ms) => ms <= tellWithinMs).length
  return {
    counts: {
      'half-open cuts of workers': cuts.length,
      'cut to next job taken, p50 ms': percentile(tookMs, 0.5),
      'cut to next job taken, worst ms': percentile(tookMs, 1),
      'half-open cuts of web processes': health.length,
      'cut to health telling, worst ms': percentile(told, 1),
      'cuts that health did not tell in time': silent,
    },
    violations: [
      ...slow.map(
        (ms): Violation => violation(`a worker took its next job ${Math.round(ms)} ms after a half-open cut`),
      ),
      ...(silent > 0 ? [violation(`${silent} half-open cuts were not told by /jobs/health in time`)] : []),
    ],
  }
}

function isHalfOpen(name: string | undefined): boolean {
  return name?.startsWith('F21') ?? false
}

function startsByPid(effects: readonly Effect[]): Map<number, number[]> {
  const starts = new Map<number, number[]>()
  for (const { kind, pid, at } of effects) {
    if (kind !== 'start') continue
    const known = starts.get(pid)
    if (known) known.push(at)
    else starts.set(pid, [at])
  }
  return starts
}

function violation(detail: string): Violation {
  return { rule: 'I9', id: null, detail }
}
