import type { Dispatcher } from '../enqueue/dispatch.js'
import type { Store } from '../store/store.js'
import { dispatchPass } from './dispatch.js'
import { lostPass } from './lost.js'
import { overduePass } from './overdue.js'

/** One round of one repair. It is a conditional update, so that two at once do no harm. */
export interface Pass {
  readonly name: string
  run(context: PassContext): Promise<void>
}

export interface PassContext {
  readonly store: Store
  readonly dispatcher: Dispatcher
  readonly maxLost: number
  readonly log: { info(message: string): void; warn(message: string): void }
}

export interface Maintenance {
  close(): Promise<void>
}

const passes: readonly Pass[] = [dispatchPass, lostPass, overduePass]

/**
 * What keeps row and broker in agreement. It has no leader: every process tries, and the store lets one of them run a
 * pass in each interval. While the store is away nothing runs, so that an outage makes no worker lost.
 */
export function startMaintenance(context: PassContext, intervalMs: number): Maintenance {
  let round: Promise<void> | undefined
  const timer = setInterval(() => {
    round ??= runDue().finally(() => {
      round = undefined
    })
  }, intervalMs)
  timer.unref()

  return {
    async close() {
      clearInterval(timer)
      await round
    },
  }

  async function runDue(): Promise<void> {
    const names = passes.map((pass) => pass.name)
    // A little under the interval, or two processes would skip every other round.
    const due = await context.store.dueTickets(names, intervalMs * 0.9).catch((): string[] => [])
    for (const pass of passes) if (due.includes(pass.name)) await attempt(pass)
  }

  async function attempt(pass: Pass): Promise<void> {
    try {
      await pass.run(context)
    } catch (error) {
      context.log.warn(
        `The ${pass.name} pass failed: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }
}
