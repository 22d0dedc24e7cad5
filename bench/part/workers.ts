import { now } from '../contender/now.js'
import { pause } from '../contender/pause.js'
import { type Crew, withCrews } from '../crew.js'
import type { Finding } from '../finding.js'
import { names } from '../lanes.js'
import type { Part } from '../part.js'
import { describe, measureInTurn, type Rounds, ratioOf, show } from '../rounds.js'

const counts = [1, 2, 4]
const concurrency = 50
const lookEveryMs = 10
/** About what one process does in a second on two small cores. */
const jobsASecond: Readonly<Record<string, number>> = {
  [names.raw]: 12_000,
  [names.onRedis]: 6000,
  [names.onEmbedded]: 1500,
}

/** How many waiting jobs a second are run by one, two and four worker processes. */
export const workers: Part = (servers, { rounds = 3, seconds = 4 }) =>
  withCrews(servers, Math.max(...counts), async (crews) => {
    const lanes = counts.flatMap((count) =>
      crews.map((crew) => ({
        name: laneName(crew.name, count),
        measure: () => drain(crew, count, (jobsASecond[crew.name] ?? 0) * seconds),
      })),
    )
    const measured = await measureInTurn(lanes, rounds)
    return counts.flatMap((count) => crews.map((crew) => toFinding(measured, crew.name, count)))
  })

/** Jobs a second, from when all processes have begun to the last stored result. */
async function drain({ web, workers: all }: Crew, count: number, jobs: number): Promise<number> {
  const runners = all.slice(0, count)
  await web.ask('fill', jobs)
  let isOver = false
  const over = web.ask('ended').then(() => {
    isOver = true
    return now()
  })
  await Promise.all(runners.map((runner) => runner.ask('work', concurrency)))
  const begun = await untilAllRun(runners, () => isOver)
  const endedAt = await over
  await Promise.all(runners.map((runner) => runner.ask('stop')))
  return (jobs - begun.ran) / ((endedAt - begun.at) / 1000)
}

/** How many jobs had been run when each process had run one. With few jobs, one may never get any. */
async function untilAllRun(
  runners: Crew['workers'],
  isOver: () => boolean,
): Promise<{ readonly ran: number; readonly at: number }> {
  for (;;) {
    const progress = await Promise.all(runners.map((runner) => runner.ask('progress')))
    const at = now()
    if (progress.every(({ ran }) => ran > 0)) return { ran: sum(progress.map(({ ran }) => ran)), at }
    if (isOver()) {
      const firsts = progress.filter(({ ran }) => ran > 0).map(({ firstAt }) => firstAt)
      return { ran: 0, at: Math.min(...firsts) }
    }
    await pause(lookEveryMs)
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function toFinding(measured: Rounds, contender: string, count: number): Finding {
  const name = laneName(contender, count)
  const ofRaw = `${show(ratioOf(measured, name, laneName(names.raw, count)))} × raw`
  const ofOne = `${show(ratioOf(measured, name, laneName(contender, 1)))} × one`
  const ratios = [contender === names.raw ? [] : ofRaw, count === 1 ? [] : ofOne].flat()
  return {
    part: 'workers',
    name,
    ...(ratios.length > 0 ? { ratio: ratios.join(', ') } : {}),
    figure: describe(measured, name, '/s'),
  }
}

function laneName(contender: string, count: number): string {
  return `${contender}, ${count} ${count === 1 ? 'worker' : 'workers'}`
}
