import { rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { compileOther } from '../compile.js'
import type { Operations as Celeriac } from '../contender/celeriac.js'
import type { Operations as Load } from '../contender/load.js'
import { type Contender, startContender } from '../contender.js'
import type { Finding } from '../finding.js'
import { twoServers } from '../lanes.js'
import type { Part } from '../part.js'
import { describe, type Lane, measureInTurn, ratioOf, show } from '../rounds.js'

const jobsASecond = 6000
const inFlight = 100
const here = 'this checkout'
const there = 'the other'

/** Whether a change has made the ordinary paths slower: this checkout and another one, in turn, on the same servers. */
export const against: Part = async (servers, { rounds = 7, seconds = 2, against: checkout }) => {
  if (checkout === undefined) throw new Error('The part "against" needs --against <folder>.')
  const folder = await compileOther(resolve(checkout))
  const ours = await startContender<Celeriac>('celeriac', await twoServers(servers))
  const theirs = await startContender<Celeriac>('celeriac', await twoServers(servers), folder)
  const load = await startContender<Load>('load', {})
  const urls = { ours: await ours.ask('serve'), theirs: await theirs.ask('serve') }
  const post = async (contender: Contender<Celeriac>, url: string) => {
    const { perSecond } = await load.ask('post', `${url}/accept`, seconds)
    await contender.ask('dispatched')
    return perSecond
  }
  const disciplines: [name: string, ours: () => Promise<number>, theirs: () => Promise<number>][] = [
    ['accept', () => post(ours, urls.ours), () => post(theirs, urls.theirs)],
    ...([50, 10] as const).map((concurrency): (typeof disciplines)[number] => [
      `drain at ${concurrency}`,
      () => ours.ask('drain', jobsASecond * seconds, concurrency),
      () => theirs.ask('drain', jobsASecond * seconds, concurrency),
    ]),
    ['enqueue', () => ours.ask('enqueue', inFlight, seconds), () => theirs.ask('enqueue', inFlight, seconds)],
  ]
  try {
    const findings: Finding[] = []
    for (const [name, measureOurs, measureTheirs] of disciplines) {
      console.error(`  ${name}`)
      const lanes: Lane[] = [
        { name: here, measure: measureOurs },
        { name: there, measure: measureTheirs },
      ]
      const measured = await measureInTurn(lanes, rounds)
      findings.push({
        part: 'against',
        name,
        ratio: `${show(ratioOf(measured, here, there))} × the other`,
        figure: `${describe(measured, here, '/s')}, the other ${describe(measured, there, '/s')}`,
      })
    }
    return findings
  } finally {
    await Promise.all([ours, theirs, load].map((contender) => contender.close()))
    rmSync(folder, { recursive: true, force: true })
  }
}
