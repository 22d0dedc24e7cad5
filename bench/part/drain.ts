import type { Finding } from '../finding.js'
import { names, withContenders } from '../lanes.js'
import type { Part } from '../part.js'
import { describe, measureInTurn, ratioOf, show } from '../rounds.js'

const concurrencies = [50, 10]
const target = 0.5
/** About what each does in a second on two small cores. */
const jobsASecond = { raw: 12_000, glue: 600, onRedis: 6000, onEmbedded: 1500 }

/** How many waiting jobs a second are run, and their results stored, by one worker. Raw BullMQ stores nothing. */
export const drain: Part = (servers, { rounds = 3, seconds = 1, profile }) =>
  withContenders(servers, async ({ raw, glue, onRedis, onEmbedded }) => {
    const findings: Finding[] = []
    const jobs = (of: keyof typeof jobsASecond) => jobsASecond[of] * seconds

    for (const concurrency of concurrencies) {
      console.error(`  concurrency ${concurrency}`)
      const lanes = [
        { name: names.raw, process: raw, measure: () => raw.ask('drain', jobs('raw'), concurrency) },
        { name: names.glue, process: glue, measure: () => glue.ask('drain', jobs('glue'), concurrency) },
        {
          name: names.onRedis,
          process: onRedis,
          measure: () => onRedis.ask('drain', jobs('onRedis'), concurrency),
        },
        {
          name: names.onEmbedded,
          process: onEmbedded,
          measure: () => onEmbedded.ask('drain', jobs('onEmbedded'), concurrency),
        },
      ]
      const measured = await measureInTurn(lanes, rounds, profile ? `drain-${concurrency}` : undefined)
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
