import { checkHistory, type Limits } from './checker/check.js'
import type { ClientEvent, Fault } from './checker/history.js'
import { readEffects, readEvents, readJobs, readWorkers } from './checker/read.js'
import type { Verdict } from './checker/verdict.js'
import { type Health, healthOf } from './health.js'
import { openJournal } from './journal.js'
import { measureCuts } from './measure.js'
import { createNemesis } from './nemesis.js'
import { planRounds, type Shape } from './plan.js'
import { createRandom } from './random.js'
import type { RunFolder } from './run-folder.js'
import { answering } from './scene.js'
import { type BrokerKind, type FaultServers, type Ground, query, startFaultServers } from './servers.js'
import { openSite, type Site } from './site.js'
import { startWorkload, type Workload } from './workload.js'

export interface SoakOptions {
  readonly broker: BrokerKind
  readonly seed: number
  readonly jobs: number
  readonly shape: Shape
  readonly folder: RunFolder
  /** The code under test, as `freezeCode` made it. */
  readonly code: string
  /** A data folder that databases begin with. */
  readonly template: string
  readonly webs: number
  readonly workers: number
  readonly concurrency: number
  /** How long the jobs are spread over. */
  readonly workloadMs: number
  readonly limits: Partial<Limits>
  readonly celeriac?: object
  readonly tell: (line: string) => void
  readonly stopped: AbortSignal
}

/** Work and faults at once, until all of both is done; then what is left is judged. */
export async function soak(options: SoakOptions): Promise<Verdict> {
  const { folder, broker, template } = options
  const servers = await startFaultServers({ broker, folder: folder.path, template })
  try {
    const { ground, health, hasHealth } = await disturb(options, servers)
    return await judge(options, ground, health, hasHealth)
  } finally {
    await servers.stop()
  }
}

async function disturb(options: SoakOptions, servers: FaultServers) {
  const { folder, stopped, tell } = options
  const faults = openJournal<Fault>(folder.faults)
  const clients = openJournal<ClientEvent>(folder.clients)
  const random = createRandom(options.seed)
  const begun = folder.read()
  if (begun.at > 0) faults.write(interruption(begun.at))
  const ground = await servers.ground('app')
  const site = await openSite({
    ...options,
    ground,
    logs: folder.logs,
    faults,
    random: random.fork('links').next,
  })
  try {
    await Promise.all(site.webs.map(answering))
    const nemesis = createNemesis(site, servers, faults, random.fork(`nemesis ${begun.roundsDone}`))
    const load = startWorkload({
      random,
      journal: clients,
      urls: site.webs.map(({ url }) => url),
      name: `s${options.seed}`,
      from: Math.max(begun.nextJob, firstUnasked(folder.clients)),
      jobs: options.jobs,
      jobsPerSecond: (options.jobs * 1000) / options.workloadMs,
    })
    stopped.addEventListener('abort', () => {
      nemesis.stop()
      load.stop()
    })
    const hasHealth = (await healthOf(site.webs[0]?.url ?? '')) !== undefined
    let roundsDone = begun.roundsDone
    const save = () => folder.write({ roundsDone, nextJob: load.next, at: Date.now() })
    const telling = setInterval(() => {
      save()
      tell(progressLine(options, roundsDone, load))
    }, 1000)
    try {
      for (const round of planRounds(options.shape, random.fork('plan')).slice(begun.roundsDone)) {
        if (stopped.aborted) break
        await nemesis.round(round)
        if (!stopped.aborted) roundsDone = round.number + 1
      }
      await load.done
      save()
      stopped.throwIfAborted()
    } finally {
      clearInterval(telling)
    }
    await allEnded(site, options.limits.endWithinMs ?? 120_000, tell)
    return { ground, health: nemesis.health, hasHealth }
  } finally {
    await site.close()
    faults.close()
    clients.close()
  }
}

async function judge(
  { folder, limits }: SoakOptions,
  ground: Ground,
  health: readonly Health[],
  hasHealth: boolean,
): Promise<Verdict> {
  const faults = [...readEvents<Fault>(folder.faults)].sort((a, b) => a.at - b.at)
  const effects = await readEffects(ground.witnessUrl)
  const verdict = checkHistory(
    {
      client: readEvents<ClientEvent>(folder.clients),
      effects,
      faults,
      jobs: await readJobs(ground.databaseUrl),
      workers: await readWorkers(ground.databaseUrl),
    },
    limits,
  )
  const cuts = measureCuts(effects, faults, health, {
    cutRecoveryMs: 20_000,
    tellWithinMs: hasHealth ? 15_000 : undefined,
  })
  const violations = [...verdict.violations, ...cuts.violations]
  return { counts: { ...verdict.counts, ...cuts.counts, violations: violations.length }, violations }
}

/** What was asked for once is not asked for again with another payload. */
function firstUnasked(clients: string): number {
  let next = 0
  for (const event of readEvents<ClientEvent>(clients))
    if (event.kind === 'asked') next = Math.max(next, Number(event.key.split('-').at(-1)) + 1)
  return next
}

/** Whoever stopped the run, all that ran then was stopped with it. */
function interruption(at: number): Fault {
  return { at, until: Date.now(), kind: 'kill', target: 'network', name: 'the run was interrupted' }
}

/** Waits until nothing is left to do, or for as long as that may take. The checker says which of the two it was. */
async function allEnded(site: Site, withinMs: number, tell: (line: string) => void): Promise<void> {
  const deadline = Date.now() + withinMs
  for (;;) {
    const open = await openJobs(site.ground.databaseUrl)
    if (open === 0 || Date.now() > deadline) return
    tell(`${open} jobs have not ended yet`)
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
}

async function openJobs(databaseUrl: string): Promise<number> {
  const [row] = await query<{ open: number }>(
    databaseUrl,
    'SELECT count(*)::int AS open FROM celeriac.job WHERE finished_at IS NULL',
  )
  return row?.open ?? 0
}

function progressLine({ shape, jobs }: SoakOptions, roundsDone: number, load: Workload): string {
  return `round ${Math.min(roundsDone + 1, shape.rounds)} of ${shape.rounds}, ${load.accepted} of ${jobs} jobs accepted, ${load.seenEnds} seen to their end`
}
