import type { Runner } from '../contender/runner.js'
import type { Web } from '../contender/web.js'
import { type Contender, startContender } from '../contender.js'
import { addWaiting, type Target } from '../fill.js'
import { rateOfEnds } from '../finishes.js'
import { names } from '../lanes.js'
import type { Part } from '../part.js'
import { describe, measureInTurn, ratioOf, show } from '../rounds.js'
import { prepareTables, runJobs } from '../run-jobs.js'
import type { Servers } from '../servers.js'

const concurrency = 50
const leastRatio = 0.9
const sizes = { usual: { small: 10_000, large: 1_000_000 }, quick: { small: 2000, large: 20_000 } }

/** A queue that is filled once, or again before each measurement. */
interface Yard {
  readonly target: Target
  readonly web: Contender<Web>
  readonly worker: Contender<Runner>
  /** The number of the next row. */
  next: number
}

/** How quickly one worker drains ten thousand jobs: all that wait, or the first of a million. */
export const backlog: Part = async (servers, { rounds = 6, quick }) => {
  const { small, large } = quick ? sizes.quick : sizes.usual
  const few = await openYard(servers)
  const many = await openYard(servers)
  try {
    await fill(many, large)
    const smallName = nameOf(small)
    const largeName = nameOf(large)
    const lanes = [
      {
        name: smallName,
        process: few.worker,
        async measure() {
          await fill(few, small)
          return drain(few, small)
        },
      },
      { name: largeName, process: many.worker, measure: () => drain(many, small) },
    ]
    const measured = await measureInTurn(lanes, rounds)
    const ratio = ratioOf(measured, largeName, smallName)
    return [
      {
        part: 'backlog',
        name: largeName,
        ratio: `${show(ratio)} × ${show(small)} waiting`,
        figure: describe(measured, largeName, '/s'),
        target: `≥ ${leastRatio} × ${show(small)} waiting`,
        met: ratio >= leastRatio,
      },
      { part: 'backlog', name: smallName, figure: describe(measured, smallName, '/s') },
    ]
  } finally {
    await Promise.all([few, many].flatMap(({ web, worker }) => [web.close(), worker.close()]))
  }
}

function drain({ target, worker }: Yard, count: number): Promise<number> {
  return rateOfEnds(target.databaseUrl, count, () => runJobs(worker, count, concurrency))
}

async function fill(yard: Yard, count: number): Promise<void> {
  await addWaiting(yard.target, yard.next, count)
  yard.next += count
}

async function openYard(servers: Servers): Promise<Yard> {
  const target = { databaseUrl: await servers.newDatabase(), redisUrl: servers.newRedis() }
  const web = await startContender<Web>('web-celeriac', target)
  await prepareTables(web)
  return { target, web, worker: await startContender<Runner>('worker-celeriac', target), next: 0 }
}

function nameOf(waiting: number): string {
  return `${names.onRedis}: drain with ${show(waiting)} waiting`
}
