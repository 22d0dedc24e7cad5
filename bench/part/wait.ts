import type { Finding } from '../finding.js'
import { names, withContenders } from '../lanes.js'
import type { Part } from '../part.js'
import { describe, measureInTurn, median, show } from '../rounds.js'

const concurrency = 10
const handlerMs = 50
const idealPerSecond = (concurrency * 1000) / handlerMs
const longestMeanMs = 50

interface Waits {
  readonly mean: number
  readonly max: number
  readonly returned: number
}

/** Taking ahead must not let a claimed job wait behind slow ones: how long do jobs wait between claim and start? */
export const wait: Part = (servers, { rounds = 3, seconds = 5, profile }) =>
  withContenders(servers, async ({ raw, onRedis, onEmbedded }) => {
    const jobs = idealPerSecond * seconds
    const waits = new Map<string, Waits[]>([
      [names.onRedis, []],
      [names.onEmbedded, []],
    ])
    const measureWaits = async (lane: string, contender: typeof onRedis) => {
      const { perSecond, ...found } = await contender.ask('sleep', jobs, concurrency, handlerMs)
      waits.get(lane)?.push(found)
      return perSecond
    }
    const lanes = [
      { name: names.raw, process: raw, measure: () => raw.ask('sleep', jobs, concurrency, handlerMs) },
      { name: names.onRedis, process: onRedis, measure: () => measureWaits(names.onRedis, onRedis) },
      {
        name: names.onEmbedded,
        process: onEmbedded,
        measure: () => measureWaits(names.onEmbedded, onEmbedded),
      },
    ]
    const measured = await measureInTurn(lanes, rounds, profile ? 'wait' : undefined)
    return [
      ...[names.onRedis, names.onEmbedded].map((lane) => waitOf(lane, (waits.get(lane) ?? []).slice(1))),
      ...lanes.map(({ name }) => ({
        part: 'wait',
        name: `${name}: throughput`,
        ratio: `${show(median(measured.get(name) ?? []) / idealPerSecond)} × ideal`,
        figure: describe(measured, name, `/s of ${idealPerSecond}`),
      })),
    ]
  })

function waitOf(lane: string, rounds: readonly Waits[]): Finding {
  const mean = median(rounds.map((round) => round.mean))
  const max = Math.max(...rounds.map((round) => round.max))
  const returned = rounds.reduce((sum, round) => sum + round.returned, 0)
  return {
    part: 'wait',
    name: `${lane}: claim to start`,
    target: `mean ≤ ${longestMeanMs} ms`,
    met: mean <= longestMeanMs,
    figure: `mean ${show(mean)} ms, longest ${show(max)} ms, ${returned} given back`,
  }
}
