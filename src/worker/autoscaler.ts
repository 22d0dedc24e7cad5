import type { AutoscaleRange } from '../control/verbs.js'
import type { Store } from '../store/store.js'
import { idleAfterMs, toScale } from './autoscale.js'
import type { Vitals } from './vitals.js'
import type { Worker } from './worker.js'

export interface AutoscalerDeps {
  readonly worker: Pick<Worker, 'running' | 'concurrency' | 'served'>
  readonly store: Pick<Store, 'load'>
  readonly vitals: Vitals
  readonly isInline: boolean
  /** `null`: the worker does not scale itself. */
  readonly range: () => AutoscaleRange | null
  readonly resize: (concurrency: number, why: string) => void
}

export interface Autoscaler {
  close(): void
}

const lookMs = 1000
/** As many are looked at for the oldest. */
const mostWaiting = 1000

/** Looks once a second how many jobs the worker should run at once. */
export function createAutoscaler(deps: AutoscalerDeps): Autoscaler {
  const { worker, store, vitals, isInline } = deps
  /** What ran at the looks of the last seconds. */
  let ran: number[] = []
  let heldSince = performance.now()
  let isLooking = false
  const timer = setInterval(() => {
    const range = deps.range()
    if (range && !isLooking) void look(range)
  }, lookMs)
  timer.unref()

  return { close: () => clearInterval(timer) }

  async function look(range: AutoscaleRange): Promise<void> {
    isLooking = true
    try {
      const { running, concurrency } = worker
      ran = [...ran, running].slice(-idleAfterMs / lookMs)
      const oldestMs = running >= concurrency ? await oldest() : 0
      const loopDelayMs = vitals.loopDelayMs(1)
      const next = toScale(range, {
        ...{ concurrency, running, oldestMs, loopDelayMs, isInline },
        peak: Math.max(...ran),
        heldMs: performance.now() - heldSince,
        cpu: vitals.cpu(1),
      })
      if (next === concurrency) return
      ran = []
      heldSince = performance.now()
      deps.resize(next, reasonOf(next > concurrency, oldestMs, loopDelayMs))
    } catch {
      // A store that is away is told of by others.
    } finally {
      isLooking = false
    }
  }

  async function oldest(): Promise<number> {
    const questions = worker.served.open.map((queue) => ({
      ...{ queue, waiting: mostWaiting, share: null, owners: [] },
    }))
    const loads = await store.load(questions)
    return Math.max(0, ...loads.map(({ ageMs }) => ageMs ?? 0))
  }
}

function reasonOf(isGrowing: boolean, oldestMs: number, loopDelayMs: number): string {
  if (isGrowing) return `jobs have waited ${(oldestMs / 1000).toFixed(1)} s`
  return loopDelayMs > 50 ? `the event loop is ${Math.round(loopDelayMs)} ms late` : 'places were free'
}
