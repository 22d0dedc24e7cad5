import type { Broker } from '../broker/broker.js'
import type { Dispatcher } from '../enqueue/dispatch.js'
import { BrokerUnavailableError, StoreUnavailableError } from '../errors.js'
import type { Round, Store } from '../store/store.js'
import { brokerLossPass } from './broker-loss.js'
import { dispatchPass } from './dispatch.js'
import { expiryPass } from './expiry.js'
import { lostPass } from './lost.js'
import { netPass } from './net.js'
import { overduePass } from './overdue.js'
import { repairPass } from './repair.js'
import { stuckPass } from './stuck.js'

/** One round of one repair. It is a conditional update, so that two at once do no harm. */
export interface Pass {
  readonly name: string
  /** It runs in one of so many rounds. */
  readonly every: number
  /** Whether there is anything to do, by what the round found. */
  isNeeded(round: Round): boolean
  /** Gives how many jobs it repaired. */
  run(context: PassContext, round: Round): Promise<number>
}

export interface PassContext {
  readonly store: Store
  readonly broker: Broker
  readonly dispatcher: Dispatcher
  readonly maxLost: number
  readonly log: { info(message: string): void; warn(message: string): void }
}

export interface Maintenance {
  /** What this process has repaired so far: jobs by pass. */
  repaired(): Readonly<Record<string, number>>
  close(): Promise<void>
}

const passes: readonly Pass[] = [
  dispatchPass,
  lostPass,
  overduePass,
  expiryPass,
  brokerLossPass,
  repairPass,
  stuckPass,
  netPass,
]

/**
 * What keeps row and broker in agreement. It has no leader: every process tries, and the store lets one of them run a
 * pass in each interval. While the store is away nothing runs, so that an outage makes no worker lost.
 */
export function startMaintenance(context: PassContext, intervalMs: number): Maintenance {
  const counts = Object.fromEntries(passes.map(({ name }) => [name, 0]))
  // A little under the interval, or two processes would skip every other round.
  const tickets = passes.map(({ name, every }) => ({ pass: name, everyMs: intervalMs * (every - 0.1) }))
  let running: Promise<void> | undefined
  const timer = setInterval(() => {
    running ??= runRound().finally(() => {
      running = undefined
    })
  }, intervalMs)
  timer.unref()

  return {
    repaired: () => ({ ...counts }),
    async close() {
      clearInterval(timer)
      await running
    },
  }

  async function runRound(): Promise<void> {
    const round = await context.store.beginRound(tickets).catch(() => undefined)
    if (!round) return
    for (const pass of passes)
      if (round.due.includes(pass.name) && pass.isNeeded(round)) await attempt(pass, round)
  }

  async function attempt(pass: Pass, round: Round): Promise<void> {
    try {
      counts[pass.name] = (counts[pass.name] ?? 0) + (await pass.run(context, round))
    } catch (error) {
      // That a server is away is told by whoever needs it for work.
      if (error instanceof StoreUnavailableError || error instanceof BrokerUnavailableError) return
      context.log.warn(
        `The ${pass.name} pass failed: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }
}
