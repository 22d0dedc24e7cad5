import type { Broker } from '../broker/broker.js'
import type { Dispatcher } from '../enqueue/dispatch.js'
import { BrokerUnavailableError, ClosedError, StoreUnavailableError } from '../errors.js'
import type { Retention } from '../job/retain.js'
import type { Round, Store } from '../store/store.js'
import type { Emitter } from '../telemetry/events.js'
import { createBrokerLossPass } from './broker-loss.js'
import { dispatchPass } from './dispatch.js'
import { expiryPass } from './expiry.js'
import { lostPass } from './lost.js'
import { netPass } from './net.js'
import { operationsPass } from './operations.js'
import { overduePass } from './overdue.js'
import { createPrunePass } from './prune.js'
import { repairPass } from './repair.js'
import { restartPass } from './restart.js'
import { statsPass, statsPrunePass } from './stats.js'
import { stuckPass } from './stuck.js'
import { createUniqueKeysPass } from './unique-keys.js'

/** One round of one repair. It is a conditional update, so that two at once do no harm. */
export interface Pass {
  readonly name: string
  /** It runs in one of so many rounds. One that is killed in the middle is missed until the next, so few is better. */
  readonly every: number
  /** Whether there is anything to do, by what the round found. */
  isNeeded(round: Round, intervalMs: number): boolean
  /** Gives how many jobs it repaired. */
  run(context: PassContext, round: Round): Promise<number>
}

export interface MaintenanceParts {
  readonly store: Store
  readonly broker: Broker
  readonly dispatcher: Dispatcher
  /** Told of what the passes end. */
  readonly events: Emitter
  readonly maxLost: number
  /** How long a task's finished jobs are kept. */
  readonly retention: RetentionBook
  /** Goes on with actions on many jobs whose process has died. Gives how many. */
  readonly takeUp: (hasTime: () => boolean) => Promise<number>
  /** Told of what each round finds. */
  readonly onRound?: (round: Round) => void
  readonly log: { info(message: string): void; warn(message: string): void }
}

export interface RetentionBook {
  /** `false` while this process does not know its tasks yet. */
  isKnown(): boolean
  /** Of a task that this process knows, by name or alias. */
  ofTask(name: string): Retention | undefined
  /** Of all others. */
  readonly ofOthers: Retention
}

export interface PassContext extends MaintenanceParts {
  /** Well under a round, so that the next process that runs this pass finds what it left. */
  hasTime(): boolean
}

export interface Maintenance {
  /** What this process has repaired so far: jobs by pass. */
  repaired(): Readonly<Record<string, number>>
  /** Runs these passes now, whatever their interval, where there is anything to do. */
  run(names: readonly string[]): Promise<void>
  close(): Promise<void>
}

/** Anew for each process: some remember what they saw. */
export function createPasses(): readonly Pass[] {
  return [
    dispatchPass,
    lostPass,
    overduePass,
    expiryPass,
    createBrokerLossPass(),
    restartPass,
    repairPass,
    stuckPass,
    netPass,
    operationsPass,
    createPrunePass(),
    createUniqueKeysPass(),
    statsPass,
    statsPrunePass,
  ]
}

/** The part of a round that a pass may take. */
const share = 0.7

/**
 * What keeps row and broker in agreement. It has no leader: every process tries, and the store lets one of them run a
 * pass in each interval. Passes run side by side, so that one that waits for its server holds up no other. While the
 * store is away nothing runs, so that an outage makes no worker lost.
 */
export function startMaintenance(parts: MaintenanceParts, intervalMs: number): Maintenance {
  const passes = createPasses()
  const counts = Object.fromEntries(passes.map(({ name }) => [name, 0]))
  const running = new Map<Pass, Promise<void>>()
  let beginning: Promise<void> | undefined
  let closing = false
  const timer = setInterval(() => {
    beginning ??= beginRound().finally(() => {
      beginning = undefined
    })
  }, intervalMs)
  timer.unref()

  return {
    repaired: () => ({ ...counts }),
    run,
    async close() {
      closing = true
      clearInterval(timer)
      await beginning
      await Promise.all(running.values())
    },
  }

  async function beginRound(): Promise<void> {
    const idle = passes.filter((pass) => !running.has(pass))
    const round = await parts.store.beginRound(idle.map(toTicket)).catch((error) => tell('round', error))
    if (!round || closing) return
    parts.onRound?.(round)
    for (const pass of idle) {
      if (!round.due.includes(pass.name) || !pass.isNeeded(round, intervalMs)) continue
      running.set(
        pass,
        attempt(pass, round).finally(() => running.delete(pass)),
      )
    }
  }

  async function run(names: readonly string[]): Promise<void> {
    const asked = passes.filter(({ name }) => names.includes(name))
    const round = await parts.store.beginRound(asked.map(({ name }) => ({ pass: name, everyMs: 0 })))
    for (const pass of asked)
      if (round.due.includes(pass.name) && pass.isNeeded(round, intervalMs)) await attempt(pass, round)
  }

  /** A little under the interval, or two processes would skip every other round. */
  function toTicket({ name, every }: Pass) {
    return { pass: name, everyMs: intervalMs * (every - 0.1) }
  }

  async function attempt(pass: Pass, round: Round): Promise<void> {
    const until = performance.now() + intervalMs * share
    const hasTime = () => !closing && performance.now() < until
    try {
      const repaired = await pass.run({ ...parts, hasTime }, round)
      counts[pass.name] = (counts[pass.name] ?? 0) + repaired
      if (repaired > 0) await parts.store.noteRepairs(pass.name, repaired)
    } catch (error) {
      tell(`${pass.name} pass`, error)
    }
  }

  function tell(what: string, error: unknown): void {
    // That a server is away is told by whoever needs it for work.
    if (error instanceof StoreUnavailableError || error instanceof BrokerUnavailableError) return
    if (error instanceof ClosedError) return
    parts.log.warn(`The ${what} failed: ${error instanceof Error ? error.message : String(error)}`)
  }
}
