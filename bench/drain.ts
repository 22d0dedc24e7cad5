import { names, profiled, withContenders } from './lanes.js'
import type { Part } from './main.js'
import type { Finding } from './report.js'
import { describe, measureInTurn, ratioOf, show } from './rounds.js'

const concurrencies = [50, 10]
const target = 0.4
/** About what each does in a second on two small cores. */
const jobsASecond = { raw: 12_000, glue: 600, onRedis: 6000, onEmbedded: 1500 }

/** How many waiting jobs a second are run, and their results stored, by one worker. Raw BullMQ stores nothing. */
export const drain: Part = (servers, { rounds = 3, seconds = 1, profile }) =>
  withContenders(servers, async (contenders) => {
    const { raw, glue, onRedis, onEmbedded } = contenders
    const findings: Finding[] = []
    const jobs = (of: keyof typeof jobsASecond) => jobsASecond[of] * seconds

    for (const concurrency of concurrencies) {
      console.error(`  concurrency ${concurrency}`)
      const lanes = [
        { name: names.raw, measure: () => raw.ask('drain', jobs('raw'), concurrency) },
        { name: names.glue, measure: () => glue.ask('drain', jobs('glue'), concurrency) },
        { name: names.onRedis, measure: () => onRedis.ask('drain', jobs('onRedis'), concurrency) },
        { name: names.onEmbedded, measure: () => onEmbedded.ask('drain', jobs('onEmbedded'), concurrency) },
      ]
      const measured = await profiled({ ...contenders }, `drain-${concurrency}`, profile, (onWarm) =>
        measureInTurn(lanes, rounds, onWarm),
      )
      const ratio = ratioOf(measured, names.onRedis, names.raw)
      const overGlue = ratioOf(measured, names.onRedis, names.glue)
      const finding = (lane: string, more: Pick<Finding, 'ratio' | 'target' | 'met'>): Finding => ({
        part: 'drain',
        name: `${lane}, concurrency ${concurrency}`,
        figure: describe(measured, lane, '/s'),
        ...more,
      })
      findings.push(
        finding(names.onRedis, {
          ratio: `${show(ratio)} × raw, ${show(overGlue)} × glue`,
          target: `≥ ${target} × raw`,
          met: ratio >= target,
        }),
        finding(names.onEmbedded, {
          ratio: `${show(ratioOf(measured, names.onEmbedded, names.raw))} × raw on Redis`,
        }),
        finding(names.glue, { ratio: `${show(ratioOf(measured, names.glue, names.raw))} × raw` }),
        finding(names.raw, {}),
      )
    }
    return findings
  })
