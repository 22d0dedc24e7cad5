import type { HealthReason } from '../telemetry/readiness.js'
import type { TakingWatch } from './taking.js'
import type { Worker } from './worker.js'

/** How a worker is, as it sees itself. */
export interface Condition {
  /** What keeps it from its work. Empty when nothing does. */
  readonly reasons: readonly HealthReason[]
  close(): void
}

export interface ConditionDeps {
  readonly worker: Pick<Worker, keyof Parameters<TakingWatch['look']>[0] | 'holdsLease' | 'isStopping'>
  readonly taking: TakingWatch
}

const everyMs = 2000

/** Looks every two seconds: that costs nothing while the worker is busy, or nothing waits. */
export function watchCondition({ worker, taking }: ConditionDeps): Condition {
  let ofTaking: readonly HealthReason[] = []
  let hasBegun = false
  let isLooking = false
  const timer = setInterval(() => void look(), everyMs)
  timer.unref()

  return {
    get reasons() {
      return [...ofLease(), ...ofTaking]
    },
    close: () => clearInterval(timer),
  }

  function ofLease(): readonly HealthReason[] {
    if (worker.isStopping) return [stopping]
    if (worker.holdsLease && worker.id !== '') {
      hasBegun = true
      return []
    }
    return [hasBegun ? leaseLost : starting]
  }

  async function look(): Promise<void> {
    if (isLooking || worker.isStopping) return
    isLooking = true
    ofTaking = await taking.look(worker)
    isLooking = false
  }
}

/** What keeps the workers of one process from their work; `asked`: so many there are to be. */
export function troublesOf(
  conditions: ReadonlySet<Condition>,
  asked: number,
  isClosing: boolean,
): readonly HealthReason[] {
  if (isClosing) return [stopping]
  const missing = conditions.size < asked ? [starting] : []
  return [...missing, ...[...conditions].flatMap(({ reasons }) => reasons)]
}

const starting: HealthReason = {
  code: 'starting',
  message: 'The worker has not taken up its work yet.',
}

const stopping: HealthReason = {
  code: 'stopping',
  message: 'This process was told to stop.',
}

const leaseLost: HealthReason = {
  code: 'lease-lost',
  message: 'The worker cannot renew its lease, so that others may have its jobs by now.',
}
