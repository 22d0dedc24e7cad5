import type { Effect, Fault } from './history.js'

/** The faults of a run, asked by time and process. */
export interface Faults {
  /** Whether one that may have cost an attempt its process, its time or its connections met `[from, to]` of it. */
  met(start: Effect, to: number, graceMs: number): boolean
  /** Until when this process stood still, if it did at that moment. */
  pausedUntil(pid: number, at: number, toleranceMs: number): number | undefined
  /** The first kill of this process in that time. */
  killed(pid: number, from: number, to: number): Fault | undefined
  /** Whether something that all processes need was away in that time, or came back less than `graceMs` before. */
  away(from: number, to: number, graceMs: number): boolean
  /** When the last one was over. */
  readonly lastAt: number | undefined
  /** Such as `kill worker`. */
  readonly counts: ReadonlyMap<string, number>
}

/** The rest is no reason to run anything twice. */
const disturbing: ReadonlySet<string> = new Set(['kill', 'stop', 'pause', 'cut'])

export function gatherFaults(history: Iterable<Fault>): Faults {
  const wide: Fault[] = []
  const narrow = new Map<number, Fault[]>()
  const counts = new Map<string, number>()
  let lastAt: number | undefined
  for (const fault of history) {
    const name = `${fault.kind} ${fault.target}`
    counts.set(name, (counts.get(name) ?? 0) + 1)
    lastAt = Math.max(lastAt ?? 0, endOf(fault))
    if (!disturbing.has(fault.kind)) continue
    if (isOfOneProcess(fault)) append(narrow, fault.pid, fault)
    else if (isOfEveryone(fault)) wide.push(fault)
  }
  const of = (pid: number) => narrow.get(pid) ?? []

  return {
    lastAt,
    counts,
    met: (start, to, graceMs) =>
      of(start.pid).some((fault) => meets(fault, start.at, to, fault.kind === 'kill' ? 0 : graceMs)) ||
      wide.some((fault) => meets(fault, start.at, to, graceMs)),
    pausedUntil(pid, at, toleranceMs) {
      const pause = of(pid).find((fault) => fault.kind === 'pause' && meets(fault, at, at, toleranceMs))
      return pause && endOf(pause)
    },
    killed: (pid, from, to) => of(pid).find((fault) => fault.kind === 'kill' && meets(fault, from, to, 0)),
    away: (from, to, graceMs) => wide.some((fault) => meets(fault, from, to, graceMs)),
  }
}

function endOf(fault: Fault): number {
  return fault.until ?? fault.at
}

/** A server's pid says nothing about whom it hit. */
function isOfOneProcess(fault: Fault): fault is Fault & { readonly pid: number } {
  return fault.pid !== undefined && fault.target !== 'redis' && fault.target !== 'postgres'
}

/** A worker or web process that died without a pid explains nothing. */
function isOfEveryone(fault: Fault): boolean {
  return fault.target !== 'worker' && fault.target !== 'web'
}

function meets(fault: Fault, from: number, to: number, graceMs: number): boolean {
  return fault.at <= to && endOf(fault) + graceMs >= from
}

function append<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  const known = map.get(key)
  if (known) known.push(value)
  else map.set(key, [value])
}
