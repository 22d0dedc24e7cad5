import { pause } from '../contender/pause.js'
import type { Runner } from '../contender/runner.js'
import type { Web } from '../contender/web.js'
import { type Contender, startContender } from '../contender.js'
import { type Crew, withCrews } from '../crew.js'
import { addWaiting } from '../fill.js'
import type { Finding } from '../finding.js'
import { names } from '../lanes.js'
import type { Part } from '../part.js'
import { startProgress } from '../progress.js'
import { median, show } from '../rounds.js'
import { prepareTables, runJobs } from '../run-jobs.js'
import { type Sample, sampleDuring, sampleFor, toMedians } from '../samples.js'
import type { Servers } from '../servers.js'

const concurrency = 50
const largestDrift = 0.1
const quarters = 4
const sizes = {
  usual: { settleMs: 3000, idleMs: 5000, busySeconds: 5, manyJobs: 500_000 },
  quick: { settleMs: 500, idleMs: 1000, busySeconds: 1, manyJobs: 10_000 },
}
/** About what one worker does in a second on two small cores. */
const jobsASecond: Readonly<Record<string, number>> = {
  [names.raw]: 12_000,
  [names.onRedis]: 6000,
  [names.onEmbedded]: 1500,
}

type Size = (typeof sizes)['usual']

/** What web and worker processes occupy, idle and busy, and whether a worker grows over half a million jobs. */
export const memory: Part = async (servers, { rounds = 2, quick }) => {
  const size = quick ? sizes.quick : sizes.usual
  return [...(await occupied(servers, rounds, size)), ...(await growth(servers, size))]
}

/** The samples of each process in each round, by what is measured. */
type Occupied = Map<string, Sample[]>

const alone = 'Express alone: idle'
const idleWeb = (name: string) => `${name}: idle web process`
const idleWorker = (name: string) => `${name}: idle worker`
const busyWorker = (name: string) => `${name}: busy worker`

async function occupied(servers: Servers, rounds: number, size: Size): Promise<Finding[]> {
  const found: Occupied = new Map()
  const note = (name: string, sample: Sample) => {
    found.set(name, [...(found.get(name) ?? []), sample])
    console.error(`  ${name}: ${describe([sample])}`)
  }
  for (let round = 1; round <= rounds; round += 1) {
    console.error(`  round ${round}`)
    note(alone, await sampleAlone(size))
    // New processes each round: what an old one once needed, it often keeps.
    await withCrews(servers, 1, async (crews) => {
      for (const crew of crews) {
        note(idleWeb(crew.name), await sampleWeb(crew, size))
        const worker = await sampleWorker(crew, size)
        note(idleWorker(crew.name), worker.idle)
        note(busyWorker(crew.name), worker.busy)
      }
    })
  }
  return Array.from(found, ([name, samples]) => toFinding(found, name, samples))
}

async function sampleAlone({ settleMs, idleMs }: Size): Promise<Sample> {
  const app = await startContender('app-bare', {})
  await pause(settleMs)
  const sample = await sampleFor(app, idleMs)
  await app.close()
  return sample
}

async function sampleWeb({ web }: Crew, { settleMs, idleMs }: Size): Promise<Sample> {
  await web.ask('fill', 0)
  await web.ask('open')
  await web.ask('serve')
  await pause(settleMs)
  const sample = await sampleFor(web, idleMs)
  await web.ask('close')
  return sample
}

async function sampleWorker(
  { name, web, workers: [worker] }: Crew,
  { settleMs, idleMs, busySeconds }: Size,
): Promise<{ readonly idle: Sample; readonly busy: Sample }> {
  if (!worker) throw new Error('Nobody runs the jobs.')
  const jobs = (jobsASecond[name] ?? 0) * busySeconds
  await web.ask('fill', 0)
  await worker.ask('work', concurrency)
  await pause(settleMs)
  const idle = await sampleFor(worker, idleMs)
  await worker.ask('stop')
  await web.ask('fill', jobs)
  const busy = await sampleDuring(worker, runJobs(worker, jobs, concurrency))
  return { idle, busy }
}

/** Half a million jobs in one worker: the median of each quarter. */
async function growth(servers: Servers, { manyJobs }: Size): Promise<Finding[]> {
  console.error(`  ${show(manyJobs)} jobs`)
  const target = { databaseUrl: await servers.newDatabase(), redisUrl: servers.newRedis() }
  const web = await startContender<Web>('web-celeriac', target)
  const worker = await startContender<Runner>('worker-celeriac', target)
  try {
    await prepareTables(web)
    await addWaiting(target, 0, manyJobs)
    const samples = await sampleByQuarter(worker, manyJobs)
    console.error(`  quarters: ${samples.map((sample) => describe([sample])).join('; ')}`)
    return [
      driftOf(
        'RSS',
        samples.map(({ rss }) => rss),
        manyJobs,
      ),
      driftOf(
        'heap',
        samples.map(({ heapUsed }) => heapUsed),
        manyJobs,
      ),
    ]
  } finally {
    await Promise.all([web.close(), worker.close()])
  }
}

async function sampleByQuarter(worker: Contender<Runner>, jobs: number): Promise<Sample[]> {
  const samples: Sample[][] = Array.from({ length: quarters }, () => [])
  const progress = startProgress('jobs', jobs)
  const startedAt = performance.now()
  let begun = 0
  await runJobs(worker, jobs, concurrency, async (ran) => {
    const quarter = Math.min(quarters - 1, Math.floor((ran * quarters) / jobs))
    samples[quarter]?.push(await worker.memory())
    // A worker that slows down is as bad as one that grows.
    if (quarter > begun) console.error(`  ${quarter}/${quarters} after ${seconds(startedAt)} s`)
    begun = quarter
    progress.at(ran)
  })
  progress.end()
  return samples.map(toMedians)
}

function seconds(since: number): string {
  return show((performance.now() - since) / 1000)
}

function driftOf(what: string, medians: readonly number[], jobs: number): Finding {
  const ratio = (medians[quarters - 1] ?? Number.NaN) / (medians[1] ?? Number.NaN)
  return {
    part: 'memory',
    name: `${names.onRedis}: worker over ${show(jobs)} jobs, ${what}`,
    ratio: `last quarter ${show(ratio)} × second`,
    figure: `${medians.map(show).join(', ')} MB`,
    target: `within ${largestDrift * 100} %`,
    met: Math.abs(ratio - 1) <= largestDrift,
  }
}

function toFinding(found: Occupied, name: string, samples: readonly Sample[]): Finding {
  const other = comparedWith(name)
  const others = other === undefined ? [] : (found.get(other) ?? [])
  const more = median(samples.map(({ rss }, round) => rss - (others[round]?.rss ?? Number.NaN)))
  return {
    part: 'memory',
    name,
    ...(other === undefined
      ? {}
      : { ratio: `RSS ${more < 0 ? '−' : '+'} ${show(Math.abs(more))} MB to ${other}` }),
    figure: describe(samples),
  }
}

/** A web process is held against Express alone, a worker against one of raw BullMQ. */
function comparedWith(name: string): string | undefined {
  if (name === alone) return undefined
  if (name.endsWith('web process')) return alone
  if (name.startsWith(names.raw)) return undefined
  return name.endsWith('idle worker') ? idleWorker(names.raw) : busyWorker(names.raw)
}

function describe(samples: readonly Sample[]): string {
  const rss = samples.map((sample) => sample.rss)
  const heap = median(samples.map(({ heapUsed }) => heapUsed))
  return `RSS ${show(median(rss))} MB (${show(Math.min(...rss))} to ${show(Math.max(...rss))}), heap ${show(heap)} MB`
}
