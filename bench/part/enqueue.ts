import type { Finding } from '../finding.js'
import { names, withContenders } from '../lanes.js'
import type { Part } from '../part.js'
import { describe, measureInTurn, ratioOf, show } from '../rounds.js'

const inFlight = 100
const target = 0.7

/** How many jobs a second are accepted, with a hundred calls in flight. Celeriac's are on disk by then. */
export const enqueue: Part = (servers, { rounds = 5, seconds = 2, profile }) =>
  withContenders(servers, async ({ raw, glue, onRedis, onEmbedded }) => {
    const lanes = [
      { name: names.raw, process: raw, measure: () => raw.ask('enqueue', inFlight, seconds) },
      { name: names.glue, process: glue, measure: () => glue.ask('enqueue', inFlight, seconds) },
      { name: names.onRedis, process: onRedis, measure: () => onRedis.ask('enqueue', inFlight, seconds) },
      {
        name: names.onEmbedded,
        process: onEmbedded,
        measure: () => onEmbedded.ask('enqueue', inFlight, seconds),
      },
    ]
    const measured = await measureInTurn(lanes, rounds, profile ? 'enqueue' : undefined)
    const ratio = ratioOf(measured, names.onRedis, names.raw)
    const overGlue = ratioOf(measured, names.onRedis, names.glue)

    return [
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
    ]

    function finding(lane: string, more: Pick<Finding, 'ratio' | 'target' | 'met'>): Finding {
      return { part: 'enqueue', name: lane, figure: describe(measured, lane, '/s'), ...more }
    }
  })
