import type { WorkerState } from '../../../api/contract.js'

/** What one asks for: those that may run jobs, those that went, and those that were taken for dead. */
export type WorkerGroup = 'live' | 'lost' | 'stopped'

export const workerGroups = ['live', 'lost', 'stopped'] as const satisfies WorkerGroup[]

export function groupOf(state: WorkerState): WorkerGroup {
  return state === 'lost' || state === 'stopped' ? state : 'live'
}

/** What a state means, and what to do about it; nothing where all is well. */
export const meanings: Readonly<Record<WorkerState, string | undefined>> = {
  ok: undefined,
  unwell:
    'It says itself that something keeps it from its work. If it does not come back by itself, restart it.',
  hanging:
    "It renews its lease, and its event loop stands still: it starts nothing. A task that computes keeps it busy; give that task pool: 'thread' or 'process'. It does not hear of orders meanwhile.",
  silent:
    'It has not renewed its lease lately. See whether its process runs and reaches PostgreSQL. If it stays silent, it counts as lost and its jobs go to other workers.',
  lost: 'It stopped renewing its lease without a word: killed, cut off, or out of memory. What it ran was given back and runs again on other workers; none of it is counted as a failure of the task. If its process still lives, it knows that it was given up and does no harm.',
  stopped: 'It ended in order: what it ran came to its end or was given back first.',
}

/** The worst first. */
export const urgencies: Readonly<Record<WorkerState, number>> = {
  hanging: 0,
  silent: 1,
  unwell: 2,
  ok: 3,
  lost: 4,
  stopped: 5,
}
