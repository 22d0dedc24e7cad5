/** What a process can do at the moment, and which of its servers answer. */
export interface Health {
  /**
   * `ok`: all works. `degraded`: the broker is away; jobs are accepted, and run when it is back. `down`: the store is
   * away, or its tables are missing; nothing can be accepted or read.
   */
  readonly status: 'ok' | 'degraded' | 'down'
  readonly store: ServerHealth
  readonly broker: ServerHealth
}

export type ServerHealth = 'up' | 'down'

export interface HealthDeps {
  /** Rejects when the store does not answer. */
  readonly store: () => Promise<void>
  readonly broker: () => Promise<void>
  /** How long a server may take. */
  readonly deadlineMs: number
  /** Milliseconds of a clock that never goes back. Default: that of the process. */
  readonly now?: () => number
}

/** How long an answer is good for all who ask. */
const freshMs = 1000

/** Gives a function that never rejects: however many ask, each server is asked once a second at most, and not at all while nobody does. */
export function createHealth({ store, broker, deadlineMs, now = monotonic }: HealthDeps) {
  let last: Health | undefined
  let checking: Promise<Health> | undefined
  let checkedAt = Number.NEGATIVE_INFINITY

  return function health(): Promise<Health> {
    if (checking) return checking
    if (last && now() - checkedAt < freshMs) return Promise.resolve(last)
    checkedAt = now()
    checking = check().finally(() => {
      checking = undefined
    })
    return checking
  }

  async function check(): Promise<Health> {
    const [stored, brokered] = await Promise.all([answers(store, deadlineMs), answers(broker, deadlineMs)])
    last = Object.freeze({ status: statusOf(stored, brokered), store: stored, broker: brokered })
    return last
  }
}

function statusOf(store: ServerHealth, broker: ServerHealth): Health['status'] {
  if (store === 'down') return 'down'
  return broker === 'down' ? 'degraded' : 'ok'
}

function answers(ask: () => Promise<void>, ms: number): Promise<ServerHealth> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms, 'down')
    timer.unref()
    ask()
      .then(
        () => resolve('up'),
        () => resolve('down'),
      )
      .finally(() => clearTimeout(timer))
  })
}

function monotonic(): number {
  return performance.now()
}
