import type { Operations as Bare } from '../contender/bare.js'
import type { Operations as Load } from '../contender/load.js'
import { type Contender, startContender } from '../contender.js'
import type { Finding } from '../finding.js'
import { names, withContenders } from '../lanes.js'
import type { Part } from '../part.js'
import { describe, measureInTurn, ratioOf, show } from '../rounds.js'

const bareName = 'bare route'
const target = { ofBare: 0.7, overGlue: 3 }

/** How many requests a second an accepting route answers, with the load from another process on the same cores. */
export const route: Part = (servers, { rounds = 5, seconds = 2, profile }) =>
  withContenders(servers, async ({ glue, onRedis, onEmbedded }) => {
    const load = await startContender<Load>('load', {})
    const bare = await startContender<Bare>('bare', {})
    try {
      const accepted = new Map([onRedis, onEmbedded].map((each) => [each, 0]))
      const post = async (url: string) => (await load.ask('post', url, seconds)).perSecond
      /** The next contender begins when this one has nothing left to do. */
      const postAndSettle = async (url: string, to: typeof onRedis) => {
        const answered = await load.ask('post', url, seconds)
        accepted.set(to, (accepted.get(to) ?? 0) + answered.accepted)
        await assertKept(to, accepted.get(to) ?? 0)
        return answered.perSecond
      }
      const urls = {
        bare: await bare.ask('serve'),
        glue: await glue.ask('serve'),
        redis: await onRedis.ask('serve'),
        embedded: await onEmbedded.ask('serve'),
      }
      const lanes = [
        { name: bareName, process: bare, measure: () => post(`${urls.bare}/accept`) },
        { name: names.glue, process: glue, measure: () => post(`${urls.glue}/accept`) },
        ...[
          { name: names.onRedis, url: urls.redis, contender: onRedis },
          { name: names.onEmbedded, url: urls.embedded, contender: onEmbedded },
        ].flatMap(({ name, url, contender }) => [
          {
            name: `${name}: accept`,
            process: contender,
            measure: () => postAndSettle(`${url}/accept`, contender),
          },
          {
            name: `${name}: by hand`,
            process: contender,
            measure: () => postAndSettle(`${url}/by-hand`, contender),
          },
        ]),
      ]
      const measured = await measureInTurn(lanes, rounds, profile ? 'route' : undefined)

      return lanes.map(({ name }): Finding => {
        const ofBare = ratioOf(measured, name, bareName)
        const overGlue = ratioOf(measured, name, names.glue)
        return {
          part: 'route',
          name,
          figure: describe(measured, name, '/s'),
          ...(name === bareName ? {} : { ratio: `${show(ofBare)} × bare, ${show(overGlue)} × glue` }),
          ...(name.endsWith('accept')
            ? {
                target: `≥ ${target.ofBare} × bare, ≥ ${target.overGlue} × glue`,
                met: ofBare >= target.ofBare && overGlue >= target.overGlue,
              }
            : {}),
        }
      })
    } finally {
      await Promise.all([load.close(), bare.close()])
    }
  })

/** Requests that were under way at the end may have left rows whose answers nobody counted. */
async function assertKept(
  contender: Pick<Contender<{ dispatched(): Promise<number> }>, 'ask'>,
  accepted: number,
): Promise<void> {
  const kept = await contender.ask('dispatched')
  if (kept < accepted) throw new Error(`${accepted} jobs were accepted, and the store has ${kept}.`)
}
