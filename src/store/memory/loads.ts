import { keptMs } from '../../job/resolution.js'
import {
  toWorkerChart,
  toWorkerSteps,
  type WorkerChart,
  type WorkerChartQuery,
  type WorkerLoad,
} from '../worker-load.js'
import type { Table } from './table.js'

const minuteMs = 60_000

/** What workers said of themselves, by the minute. */
export function createLoads(table: Pick<Table, 'now'>) {
  const minutes = new Map<string, Map<number, WorkerLoad>>()

  return {
    note(id: string, load: WorkerLoad): void {
      const now = table.now().getTime()
      const own = minutes.get(id) ?? new Map<number, WorkerLoad>()
      minutes.set(id, own)
      const at = Math.floor(now / minuteMs) * minuteMs
      own.set(at, mostOf(own.get(at), load))
      for (const old of own.keys()) if (old < now - keptMs[60]) own.delete(old)
    },
    chart(query: WorkerChartQuery): WorkerChart {
      const steps = toWorkerSteps(query, table.now())
      const found = new Map<number, WorkerLoad>()
      for (const [at, load] of minutes.get(query.workerId) ?? []) {
        const step = Math.floor((at - steps.from.getTime()) / steps.stepMs)
        found.set(step, mostOf(found.get(step), load))
      }
      return toWorkerChart(steps, found)
    },
    forget: (id: string) => void minutes.delete(id),
  }
}

function mostOf(one: WorkerLoad | undefined, other: WorkerLoad): WorkerLoad {
  if (!one) return other
  return {
    running: Math.max(one.running, other.running),
    concurrency: Math.max(one.concurrency, other.concurrency),
    memory: Math.max(one.memory, other.memory),
    loopDelayMs: Math.max(one.loopDelayMs, other.loopDelayMs),
    cpu: Math.max(one.cpu, other.cpu),
    processed: one.processed + other.processed,
  }
}
