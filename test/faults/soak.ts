import { makePostgresTemplate } from '../support/postgres.js'
import { checkHistory, type Limits } from './checker/check.js'
import type { ClientEvent, Fault } from './checker/history.js'
import { readEffects, readEvents, readJobs, readWorkers } from './checker/read.js'
import type { Verdict } from './checker/verdict.js'
import { freezeCode } from './code.js'
import { type Health, healthOf } from './health.js'
import { openJournal } from './journal.js'
import { measureCuts } from './measure.js'
import { createNemesis } from './nemesis.js'
import { planRounds, type Shape } from './plan.js'
import { createRandom } from './random.js'
import type { RunFolder } from './run-folder.js'
import { type BrokerKind, type FaultServers, query, startFaultServers } from './servers.js'
import { openSite, type Site } from './site.js'
import { startWorkload, type Workload } from './workload.js'

export interface SoakOptions {
  readonly broker: BrokerKind
  readonly seed: number
  readonly jobs: number
  readonly shape: Shape
  readonly folder: RunFolder
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
  const { folder, broker } = options
  await freezeCode(folder.code)
  const servers = await startFaultServers({
    broker,
    folder: folder.path,
    template: await makePostgresTemplate(),
  })
  try {
    const { databaseUrl, health, hasHealth } = await disturb(options, servers)
    return await judge(options, servers, databaseUrl, health, hasHealth)
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
  const site = await openSite({
    ...options,
    servers,
    folder: folder.path,
    code: folder.code,
    faults,
    random: random.fork('links').next,
    options: options.celeriac ?? {},
  })
  try {
    await allAnswer(site)
    const nemesis = createNemesis(site, faults, random.fork(`nemesis ${begun.roundsDone}`))
    const load = startWorkload({
      random,
      journal: clients,
      urls: site.webs.map(({ url }) => url),
      name: `s${options.seed}`,
      from: begun.nextJob,
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
    return { databaseUrl: site.databaseUrl, health: nemesis.health, hasHealth }
  } finally {
    await site.close()
    faults.close()
    clients.close()
  }
}

async function judge(
  { folder, limits }: SoakOptions,
  servers: FaultServers,
  databaseUrl: string,
  health: readonly Health[],
  hasHealth: boolean,
): Promise<Verdict> {
  const faults = [...readEvents<Fault>(folder.faults)].sort((a, b) => a.at - b.at)
  const effects = await readEffects(servers.witness.url)
  const verdict = checkHistory(
    {
      client: readEvents<ClientEvent>(folder.clients),
      effects,
      faults,
      jobs: await readJobs(databaseUrl),
      workers: await readWorkers(databaseUrl),
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

/** Whoever stopped the run, all that ran then was stopped with it. */
function interruption(at: number): Fault {
  return { at, until: Date.now(), kind: 'kill', target: 'network', name: 'the run was interrupted' }
}

async function allAnswer(site: Site): Promise<void> {
  for (const { url, name } of site.webs) await answers(url, name)
}

async function answers(url: string, name: string): Promise<void> {
  for (let tries = 0; tries < 300; tries += 1) {
    const up = await fetch(`${url}/jobs/00000000-0000-7000-8000-000000000000`).catch(() => undefined)
    if (up?.status === 404) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error(`${name} does not answer.`)
}

/** Waits until nothing is left to do, or for as long as that may take. The checker says which of the two it was. */
async function allEnded(site: Site, withinMs: number, tell: (line: string) => void): Promise<void> {
  const deadline = Date.now() + withinMs
  for (;;) {
    const open = await openJobs(site.databaseUrl)
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
