import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Verdict } from './checker/verdict.js'
import type { Console } from './console.js'
import { migrate } from './processes.js'
import { createRandom } from './random.js'
import { runScenario, type Scenario } from './scenario.js'
import { type BrokerKind, brokers, type FaultServers, startFaultServers } from './servers.js'

export interface Workshop {
  /** All runs have their folders in it. */
  readonly folder: string
  readonly code: string
  readonly template: string
  readonly seed: number
  readonly console: Console
  /** The part of long lists that is tried. */
  readonly share: number
  readonly stopped: AbortSignal
}

export interface Outcome {
  readonly name: string
  readonly tookMs: number
  readonly verdicts: readonly Verdict[]
  /** What did not hold. */
  readonly failure?: string
  readonly skipped?: string
}

/** A scenario on one broker. */
export interface Showing {
  readonly scenario: Scenario
  readonly broker: BrokerKind
}

export function showingsOf(scenarios: readonly Scenario[], only?: BrokerKind): Showing[] {
  return scenarios.flatMap((scenario) =>
    (scenario.brokers ?? brokers)
      .filter((broker) => only === undefined || broker === only)
      .map((broker) => ({ scenario, broker })),
  )
}

/** Runs scenarios, some at once, each in databases of its own on one pair of servers. */
export async function runShowings(
  showings: readonly Showing[],
  workshop: Workshop,
  atOnce: number,
): Promise<Outcome[]> {
  const shared = new Map<BrokerKind, FaultServers>()
  const outcomes: Outcome[] = []
  const waiting = [...showings.entries()]
  try {
    for (const broker of new Set(showings.map((showing) => showing.broker)))
      shared.set(broker, await startShared(broker, workshop))
    await Promise.all(Array.from({ length: atOnce }, work))
    return outcomes
  } finally {
    await Promise.all([...shared.values()].map((servers) => servers.stop()))
  }

  async function work(): Promise<void> {
    for (let next = waiting.shift(); next && !workshop.stopped.aborted; next = waiting.shift()) {
      const [number, showing] = next
      const servers = shared.get(showing.broker)
      if (!servers) return
      const outcome = await show(showing, number, servers, workshop)
      outcomes.push(outcome)
      tellOutcome(outcome, workshop.console)
    }
  }
}

function startShared(broker: BrokerKind, { folder, code, template }: Workshop): Promise<FaultServers> {
  const own = join(folder, `shared-${broker}`)
  return startFaultServers({
    broker,
    template,
    folder: own,
    durable: false,
    migrate: (ground) => migrate({ ...ground, code, logs: own }),
  })
}

async function show(
  { scenario, broker }: Showing,
  number: number,
  shared: FaultServers,
  { folder, code, template, seed, share, console, stopped }: Workshop,
): Promise<Outcome> {
  const name = `${scenario.faults.join(' ')} on ${broker}: ${scenario.title}`
  const began = performance.now()
  const missing = scenario.missing?.()
  if (missing !== undefined) return { name, tookMs: 0, verdicts: [], skipped: missing }
  const own = join(folder, `scenario-${number}-${scenario.faults[0]}-${broker}`)
  mkdirSync(own, { recursive: true })
  try {
    const running = runScenario(scenario, {
      name: `scenario_${number}`,
      broker,
      random: createRandom(seed).fork(name),
      shared,
      folder: own,
      code,
      template,
      share,
      say: (line) => console.say(`           ${line}`),
    })
    const verdicts = await Promise.race([running, rejectionAt(stopped)])
    rmSync(own, { recursive: true, force: true })
    return { name, tookMs: performance.now() - began, verdicts }
  } catch (error) {
    if (stopped.aborted) return { name, tookMs: 0, verdicts: [], skipped: 'interrupted' }
    const failure = error instanceof Error ? error.message : String(error)
    return { name, tookMs: performance.now() - began, verdicts: [], failure: `${failure}\nSee ${own}` }
  }
}

/** What still runs then ends with this process. */
function rejectionAt(stopped: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (stopped.aborted) reject(stopped.reason)
    stopped.addEventListener('abort', () => reject(stopped.reason), { once: true })
  })
}

function tellOutcome({ name, tookMs, failure, skipped }: Outcome, console: Console): void {
  if (skipped !== undefined) console.say(`  skipped  ${name} (${skipped})`)
  else if (failure === undefined) console.say(`  held     ${name} (${(tookMs / 1000).toFixed(1)} s)`)
  else console.say(`  BROKEN   ${name}\n${failure.replaceAll(/^/gm, '           ')}`)
}
