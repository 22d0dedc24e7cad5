import { pause } from '../contender/pause.js'
import { type Crew, withCrews } from '../crew.js'
import type { Finding } from '../finding.js'
import { names } from '../lanes.js'
import type { Part, Settings } from '../part.js'
import { percentile } from '../percentile.js'
import { median, show } from '../rounds.js'

const concurrency = 10
const perSecond = 50
const oneAtATime = 100
const longestMoreMs = 4
/** The longest pause between two calls of one at a time: no timers may keep step. */
const pauseMs = 10

interface Discipline {
  readonly name: string
  /** Milliseconds of each call. */
  measure(crew: Crew, first: number, count: number): Promise<number[]>
  readonly isToStart: boolean
  readonly isPaced: boolean
}

const disciplines: readonly Discipline[] = [
  { name: 'call to start, one at a time', measure: startEach, isToStart: true, isPaced: false },
  { name: `call to start, ${perSecond}/s`, measure: startPaced, isToStart: true, isPaced: true },
  {
    name: 'call to seen, one at a time',
    measure: ({ web }, first, count) => web.ask('seeEach', first, count),
    isToStart: false,
    isPaced: false,
  },
  {
    name: `call to seen, ${perSecond}/s`,
    measure: ({ web }, first, count) => web.ask('seePaced', first, count, perSecond),
    isToStart: false,
    isPaced: true,
  },
]

/** p50 and p99 of each round, by contender. */
type Measured = Map<string, { readonly p50: number; readonly p99: number }[]>

/** How long from a call to the start of its handler in another process, and to a poller that sees the job's end. */
export const latency: Part = (servers, settings) =>
  withCrews(servers, 1, async (crews) => {
    for (const { web, workers } of crews) {
      await web.ask('fill', 0)
      await web.ask('open')
      for (const worker of workers) await worker.ask('work', concurrency)
    }
    const findings: Finding[] = []
    const numbers = createNumbers()
    for (const discipline of disciplines) {
      console.error(`  ${discipline.name}`)
      findings.push(...toFindings(discipline, await measureRounds(crews, discipline, settings, numbers)))
    }
    return findings
  })

async function measureRounds(
  crews: readonly Crew[],
  { measure, isPaced }: Discipline,
  { rounds = 5, seconds = 3 }: Settings,
  take: (count: number) => number,
): Promise<Measured> {
  const count = isPaced ? perSecond * seconds : oneAtATime * seconds
  const measured: Measured = new Map(crews.map(({ name }) => [name, []]))
  // The first round warms up.
  for (let round = 0; round <= rounds; round += 1) {
    for (const crew of crews) {
      const ms = await measure(crew, take(count), count)
      const found = { p50: percentile(ms, 50), p99: percentile(ms, 99) }
      const label = round === 0 ? 'warm-up' : `round ${round}`
      console.error(`  ${label}  ${crew.name}: p50 ${show(found.p50)} ms, p99 ${show(found.p99)} ms`)
      if (round > 0) measured.get(crew.name)?.push(found)
    }
  }
  return measured
}

async function startEach({ web, workers }: Crew, first: number, count: number): Promise<number[]> {
  const waits: number[] = []
  for (let number = first; number < first + count; number += 1) {
    const started = workers[0]?.ask('startOf', number) ?? Promise.resolve(Number.NaN)
    const calledAt = await web.ask('call', number)
    waits.push((await started) - calledAt)
    await pause(Math.random() * pauseMs)
  }
  return waits
}

async function startPaced({ web, workers }: Crew, first: number, count: number): Promise<number[]> {
  const [worker] = workers
  if (!worker) throw new Error('Nobody runs the jobs.')
  const called = await web.ask('callPaced', first, count, perSecond)
  return Promise.all(called.map(async (calledAt, at) => (await worker.ask('startOf', first + at)) - calledAt))
}

/** Gives each measurement numbers that no other has. */
function createNumbers() {
  let next = 0
  return (count: number) => {
    next += count
    return next - count
  }
}

function toFindings({ name, isToStart }: Discipline, measured: Measured): Finding[] {
  const raw = measured.get(names.raw) ?? []
  return Array.from(measured, ([contender, rounds]) => {
    const p50s = rounds.map(({ p50 }) => p50)
    const more = median(p50s.map((p50, round) => p50 - (raw[round]?.p50 ?? Number.NaN)))
    const spread = `${show(Math.min(...p50s))} to ${show(Math.max(...p50s))}`
    const p99 = show(median(rounds.map((round) => round.p99)))
    return {
      part: 'latency',
      name: `${contender}: ${name}`,
      ...(contender === names.raw ? {} : { ratio: `p50 ${more < 0 ? '−' : '+'} ${show(Math.abs(more))} ms` }),
      figure: `p50 ${show(median(p50s))} ms (${spread}), p99 ${p99} ms`,
      ...(isToStart && contender === names.onRedis
        ? { target: `p50 ≤ raw + ${longestMoreMs} ms`, met: more <= longestMoreMs }
        : {}),
    }
  })
}
