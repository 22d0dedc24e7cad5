import type { Operations as Load } from '../contender/load.js'
import type { Runner } from '../contender/runner.js'
import type { Operations as Web } from '../contender/web-celeriac.js'
import { type Contender, startContender } from '../contender.js'
import { addSucceeded, filledId, type Target } from '../fill.js'
import type { Finding } from '../finding.js'
import { rateOfEnds } from '../finishes.js'
import { names } from '../lanes.js'
import type { Part } from '../part.js'
import { describe, type Lane, measureInTurn, type Rounds, ratioOf, show } from '../rounds.js'
import { prepareTables, runJobs } from '../run-jobs.js'
import type { Servers } from '../servers.js'

const concurrency = 50
const inFlight = 100
const largestRatio = 1.3
const sizes = {
  usual: { small: 10_000, large: 5_000_000, jobs: 10_000, looks: 2000 },
  quick: { small: 1000, large: 20_000, jobs: 1000, looks: 200 },
}

/** An installation whose store holds so many jobs that have succeeded. */
interface Archive {
  readonly rows: number
  readonly target: Target
  readonly web: Contender<Web>
  readonly worker: Contender<Runner>
}

type Size = (typeof sizes)['usual']

/** What five million finished jobs in the store cost those who ask for one, enqueue, and run jobs. */
export const store: Part = async (servers, { rounds = 7, quick }) => {
  const size = quick ? sizes.quick : sizes.usual
  const load = await startContender<Load>('load', {})
  const small = await openArchive(servers, size.small)
  const large = await openArchive(servers, size.large)
  try {
    const archives = [small, large]
    const lanes = (await Promise.all(archives.map((archive) => lanesOf(archive, load, size)))).flat()
    // First all calls, then all that drain them.
    lanes.sort((a, b) => disciplines.indexOf(a.discipline) - disciplines.indexOf(b.discipline))
    const measured = await measureInTurn(lanes, rounds)
    return disciplines.flatMap((discipline) =>
      [large, small].map(({ rows }) => toFinding(measured, discipline, rows, size)),
    )
  } finally {
    await Promise.all(
      [load, ...[small, large].flatMap(({ web, worker }) => [web, worker])].map((each) => each.close()),
    )
  }
}

const disciplines = ['enqueue', 'drain', 'GET /jobs/:id'] as const
type Discipline = (typeof disciplines)[number]

async function lanesOf(
  { rows, target, web, worker }: Archive,
  load: Contender<Load>,
  { jobs, looks }: Size,
): Promise<(Lane & { readonly discipline: Discipline })[]> {
  await web.ask('open')
  const url = await web.ask('serve')
  const lane = (discipline: Discipline, measure: () => Promise<number>) => ({
    discipline,
    name: laneName(discipline, rows),
    measure,
  })
  return [
    lane('enqueue', () => web.ask('enqueue', jobs, inFlight)),
    lane('drain', () => rateOfEnds(target.databaseUrl, jobs, () => runJobs(worker, jobs, concurrency))),
    lane('GET /jobs/:id', async () => {
      const urls = Array.from(
        { length: looks },
        () => `${url}/jobs/${filledId(Math.floor(Math.random() * rows))}`,
      )
      return (await load.ask('getEach', urls)).p50
    }),
  ]
}

async function openArchive(servers: Servers, rows: number): Promise<Archive> {
  const target = { databaseUrl: await servers.newDatabase(), redisUrl: servers.newRedis() }
  const web = await startContender<Web>('web-celeriac', target)
  await prepareTables(web)
  await addSucceeded(target, 0, rows)
  return { rows, target, web, worker: await startContender<Runner>('worker-celeriac', target) }
}

function toFinding(measured: Rounds, discipline: Discipline, rows: number, { small, large }: Size): Finding {
  const name = laneName(discipline, rows)
  const isLook = discipline === 'GET /jobs/:id'
  const ratio = ratioOf(measured, name, laneName(discipline, small))
  return {
    part: 'store',
    name,
    ...(rows === large ? { ratio: `${show(ratio)} × ${show(small)} rows` } : {}),
    figure: describe(measured, name, isLook ? ' ms' : '/s'),
    ...(rows === large && isLook
      ? { target: `≤ ${largestRatio} × ${show(small)} rows`, met: ratio <= largestRatio }
      : {}),
  }
}

function laneName(discipline: Discipline, rows: number): string {
  return `${names.onRedis}: ${discipline}, ${show(rows)} finished rows`
}
