import { join } from 'node:path'
import { printVerdict } from './checker/verdict.js'
import type { Console } from './console.js'
import { shortShape } from './plan.js'
import { createRandom } from './random.js'
import { printOutcomes } from './report.js'
import { openRunFolder } from './run-folder.js'
import { type Outcome, runShowings, type Showing, showingsOf, type Workshop } from './runner.js'
import { quickLeases } from './scenario.js'
import { scenarios } from './scenarios/all.js'
import { killedAtAwaits } from './scenarios/failpoints.js'
import { type BrokerKind, brokers } from './servers.js'
import { soak } from './soak.js'
import { closeWorkshop, openWorkshop } from './workshop.js'

const soakJobs = 3000
const soakMs = 20_000
const othersShown = 8

/** What CI runs: a soak on each broker, a tenth of the failpoints, and a few of the single faults. */
export async function runShort(seed: number, console: Console, stopped: AbortSignal): Promise<boolean> {
  const workshop = await openWorkshop({ seed, console, stopped, share: 0.1 })
  const outcomes: Outcome[] = []
  try {
    const [soaks, shown] = await Promise.all([
      soakInTurn(workshop),
      runShowings(chooseShowings(seed), workshop, 2),
    ])
    outcomes.push(...soaks, ...shown)
  } finally {
    closeWorkshop(workshop, outcomes)
  }
  console.say(printOutcomes(outcomes))
  return !stopped.aborted && outcomes.every(({ failure }) => failure === undefined)
}

/** The failpoints, and some of the others by seed: all of them would take longer than a CI run has. */
function chooseShowings(seed: number): Showing[] {
  const isAlways = ({ scenario }: Showing) => scenario === killedAtAwaits
  const all = showingsOf(scenarios.filter(({ long }) => !long))
  const others = all.filter((showing) => !isAlways(showing))
  return [
    ...all.filter(isAlways),
    ...createRandom(seed).fork('short run').shuffle(others).slice(0, othersShown),
  ]
}

async function soakInTurn(workshop: Workshop): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const broker of brokers) outcomes.push(await soakOnce(broker, workshop))
  return outcomes
}

async function soakOnce(broker: BrokerKind, workshop: Workshop): Promise<Outcome> {
  const { seed, code, template, console, stopped } = workshop
  const name = `a soak on ${broker}`
  const began = performance.now()
  const folder = openRunFolder(join(workshop.folder, `soak-${broker}`), false)
  try {
    const verdict = await soak({
      broker,
      seed,
      jobs: soakJobs,
      shape: shortShape,
      folder,
      code,
      template,
      webs: 2,
      workers: 3,
      concurrency: 20,
      workloadMs: soakMs,
      limits: {},
      celeriac: quickLeases,
      tell: (line) => console.progress(`${name}: ${line}`),
      stopped,
    })
    const tookMs = performance.now() - began
    console.say(`\n${name} (${(tookMs / 1000).toFixed(1)} s)\n${printVerdict(verdict)}`)
    const broken = verdict.violations.length > 0
    return { name, tookMs, verdicts: [verdict], ...(broken ? { failure: `See ${folder.path}` } : {}) }
  } catch (error) {
    if (stopped.aborted) return { name, tookMs: 0, verdicts: [], skipped: 'interrupted' }
    const failure = error instanceof Error ? (error.stack ?? error.message) : String(error)
    console.say(`${name}: ${failure}`)
    return { name, tookMs: performance.now() - began, verdicts: [], failure }
  }
}
