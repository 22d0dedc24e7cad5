import type { Operations } from '../contender/limits.js'
import { pause } from '../contender/pause.js'
import { type Contender, startContender } from '../contender.js'
import type { Finding } from '../finding.js'
import { names, twoServers } from '../lanes.js'
import type { Part } from '../part.js'
import { describe, measureInTurn, ratioOf, show } from '../rounds.js'

const workerCount = 4
const concurrency = 20
const rate = 100
const mostInSecond = 110
const leastShare = 0.8
const plainJobs = 24_000
const lanesOf = { alone: 'others alone', beside: `others beside ${rate}/s` }

/** Whether four workers together keep to a rate, and what that leaves for other tasks. */
export const limits: Part = async (servers, { rounds = 3, seconds = 30, quick }) => {
  const place = await twoServers(servers)
  const processes: Contender<Operations>[] = []
  try {
    for (let count = 0; count <= workerCount; count += 1)
      processes.push(await startContender<Operations>('limits', place))
    const [web, ...workers] = processes as [Contender<Operations>, ...Contender<Operations>[]]
    return [
      ...(await measureRate(web, workers, seconds)),
      ...(await measureOthers(web, workers, rounds, quick ? plainJobs / 6 : plainJobs)),
    ]
  } finally {
    await Promise.all(processes.map((each) => each.close()))
  }
}

type Crew = readonly Contender<Operations>[]

async function measureRate(web: Contender<Operations>, workers: Crew, seconds: number): Promise<Finding[]> {
  const expected = rate * seconds
  await web.ask('fill', Math.ceil(expected * 1.2), 0)
  await Promise.all(workers.map((worker) => worker.ask('work', concurrency)))
  const count = async () => (await Promise.all(workers.map((worker) => worker.ask('starts')))).flat()
  while ((await count()).length === 0) await pause(10)
  await pause((seconds + 1) * 1000)
  const all = (await count()).toSorted((a, b) => a - b)
  await stop(workers)
  const first = all[0] ?? 0
  const starts = all.filter((at) => at < first + seconds * 1000)
  const most = mostIn(all, 1000)
  const off = starts.length / expected - 1
  const name = `${names.onRedis}, ${workerCount} workers, ${rate}/s`
  return [
    {
      part: 'limits',
      name: `${name}: starts in ${seconds} s`,
      figure: `${show(starts.length)} (${(off * 100).toFixed(1)} %)`,
      target: `${show(expected)} ± 3 %`,
      met: Math.abs(off) <= 0.03,
    },
    {
      part: 'limits',
      name: `${name}: most starts in any second`,
      figure: show(most),
      target: `≤ ${mostInSecond}`,
      met: most <= mostInSecond,
    },
  ]
}

/** The most that begin within so many milliseconds, wherever those are laid. */
function mostIn(sorted: readonly number[], ms: number): number {
  let from = 0
  let most = 0
  for (const [to, at] of sorted.entries()) {
    while (at - (sorted[from] ?? 0) >= ms) from += 1
    most = Math.max(most, to - from + 1)
  }
  return most
}

async function measureOthers(
  web: Contender<Operations>,
  workers: Crew,
  rounds: number,
  jobs: number,
): Promise<Finding[]> {
  const lanes = [
    { name: lanesOf.alone, measure: () => drain(web, workers, jobs, 0) },
    { name: lanesOf.beside, measure: () => drain(web, workers, jobs, rate * 60) },
  ]
  const measured = await measureInTurn(lanes, rounds)
  const share = ratioOf(measured, lanesOf.beside, lanesOf.alone)
  return [
    { part: 'limits', name: lanesOf.alone, figure: describe(measured, lanesOf.alone, '/s') },
    {
      part: 'limits',
      name: lanesOf.beside,
      figure: describe(measured, lanesOf.beside, '/s'),
      ratio: `${show(share)} × alone`,
      target: `≥ ${leastShare} × alone`,
      met: share >= leastShare,
    },
  ]
}

/** Jobs without limits a second, from the first start to the last. */
async function drain(
  web: Contender<Operations>,
  workers: Crew,
  jobs: number,
  paced: number,
): Promise<number> {
  await web.ask('fill', paced, jobs)
  await Promise.all(workers.map((worker) => worker.ask('work', concurrency)))
  for (;;) {
    const all = await Promise.all(workers.map((worker) => worker.ask('plain')))
    const ran = all.reduce((total, each) => total + each.ran, 0)
    if (ran >= jobs) {
      await stop(workers)
      const busy = all.filter((each) => each.ran > 0)
      const tookMs =
        Math.max(...busy.map((each) => each.lastAt)) - Math.min(...busy.map((each) => each.firstAt))
      return ran / (tookMs / 1000)
    }
    await pause(20)
  }
}

async function stop(workers: Crew): Promise<void> {
  await Promise.all(workers.map((worker) => worker.ask('stop')))
}
