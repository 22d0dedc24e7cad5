import type {
  CancelAnswer,
  ClientEvent,
  Effect,
  EndState,
  Fault,
  JobRow,
  JobState,
  PastAttempt,
  WorkerRow,
} from './history.js'

/** A history made by hand: plain lists, so that a test can bend any of them. */
export interface Forged {
  client: ClientEvent[]
  effects: Effect[]
  faults: Fault[]
  jobs: JobRow[]
  workers: WorkerRow[]
}

/** Two workers. Their rows are what tells a result's process from a row's worker. */
export const pids = [101, 102] as const

export function emptyHistory(): Forged {
  return {
    client: [],
    effects: [],
    faults: [],
    jobs: [],
    workers: pids.map((pid) => ({ id: workerOf(pid), pid })),
  }
}

export function workerOf(pid: number): string {
  return `worker-${pid}`
}

/** How one attempt of a forged job went. */
export interface Run {
  readonly pid?: number
  /** From the job's creation. */
  readonly at?: number
  /** `silent`: it was never heard of again. */
  readonly how: 'returned' | 'threw' | 'silent'
  /** What the row says of it, when another followed. */
  readonly outcome?: PastAttempt['outcome']
}

export interface Story {
  readonly task?: string
  readonly at?: number
  /** Default: one attempt that returned. */
  readonly runs?: readonly Run[]
  readonly state?: JobState
  readonly errorName?: string
  readonly wish?: { readonly ends?: readonly EndState[]; readonly once?: true; readonly later?: true }
  /** Whether a client follows it to its end. Default `false`. */
  readonly seen?: boolean
  readonly cancelled?: CancelAnswer
}

const runMs = 50

/** Adds a job to the history as a faultless system would leave it, and gives its id. */
export function tell(history: Forged, number: number, story: Story = {}): string {
  const { task = 'work.quick', at = number * 10, runs = [{ how: 'returned' }], wish = {} } = story
  const [id, key] = [`job-${number}`, `key-${number}`]
  history.client.push(
    { at, kind: 'asked', key, task, ...wish },
    { at: at + 5, kind: 'accepted', key, id, tookMs: 5 },
  )
  const steps = runs.map((run, nth) => ({ pid: pids[0], at: 10 + nth * 1000, ...run, attempt: nth + 1 }))
  for (const { pid, attempt, how, at: after } of steps) {
    const effect = { id, attempt, pid, key, ok: null }
    history.effects.push({ ...effect, at: at + after, kind: 'start' })
    if (how !== 'silent')
      history.effects.push({ ...effect, at: at + after + runMs, kind: 'finish', ok: how === 'returned' })
    if (wish.once && how === 'returned')
      history.effects.push({ ...effect, at: at + after + runMs, kind: 'commit' })
  }
  const last = steps.at(-1)
  const state = story.state ?? (last?.how === 'returned' ? 'succeeded' : 'failed')
  const finishedAt = at + (last?.at ?? 0) + runMs + 3
  history.jobs.push({
    id,
    key,
    task,
    state,
    attempt: steps.length,
    failures: runs.filter(({ how }) => how === 'threw').length,
    lost: runs.filter(({ outcome }) => outcome === 'lost').length,
    worker: last ? workerOf(last.pid) : null,
    result: state === 'succeeded' && last ? JSON.stringify({ attempt: last.attempt, pid: last.pid }) : null,
    errorName: state === 'failed' ? (story.errorName ?? 'Error') : null,
    createdAt: at,
    runAt: at,
    startedAt: last ? at + last.at : null,
    finishedAt,
    delivery: steps.length,
    attempts: steps.slice(0, -1).map(({ attempt, pid, outcome = 'failed' }) => ({
      number: attempt,
      worker: workerOf(pid),
      outcome,
    })),
  })
  if (story.cancelled) history.client.push({ at: at + 8, kind: 'cancelled', id, answer: story.cancelled })
  if (story.seen)
    history.client.push(
      { at: at + 9, kind: 'seen', id, state: 'queued' },
      { at: finishedAt + 5, kind: 'seen', id, state },
      { at: finishedAt + 9, kind: 'seen', id, state },
    )
  return id
}

/** Changes the row of a job. */
export function bend(history: Forged, id: string, changes: Partial<JobRow>): void {
  history.jobs = history.jobs.map((row) => (row.id === id ? { ...row, ...changes } : row))
}

export function rowOf(history: Forged, id: string): JobRow {
  const row = history.jobs.find((each) => each.id === id)
  if (!row) throw new Error(`The history has no row ${id}.`)
  return row
}

/** A kill of a worker while the attempt that began then was running. */
export function kill(pid: number, at: number): Fault {
  return { at, kind: 'kill', target: 'worker', pid }
}
