import type { Committer } from '../contender/committer.js'
import { pause } from '../contender/pause.js'
import type { Runner } from '../contender/runner.js'
import { type Contender, startContender } from '../contender.js'
import type { Finding } from '../finding.js'
import { names, twoServers } from '../lanes.js'
import type { Part } from '../part.js'
import { percentile } from '../percentile.js'
import { median, show } from '../rounds.js'
import type { Servers } from '../servers.js'

const longestMs = 20
const concurrency = 10
const perSecondOfRound = 50
/** No timers may keep step with the calls. */
const pauseMs = 20
const byHand = 'queue.add after the commit'

/** A process that commits and one that runs what was committed. */
interface Pair {
  readonly name: string
  readonly committer: Contender<Committer>
  readonly worker: Contender<Runner>
}

/** p50 and p99, in milliseconds. */
interface Waits {
  /** From the moment at which the commit was sent: the time that the commit itself took is in it. */
  readonly p50: number
  readonly p99: number
  /** From the moment at which the caller knew of it. */
  readonly knownP50: number
}

/** How long from the commit of an app's transaction to the start of the job that was enqueued in it. */
export const commit: Part = async (servers, { rounds = 5, seconds = 3 }) => {
  const pairs = await openPairs(servers)
  try {
    const count = perSecondOfRound * seconds
    const measured = new Map<string, Waits[]>(pairs.map(({ name }) => [name, []]))
    let next = 0
    // The first round warms up.
    for (let round = 0; round <= rounds; round += 1) {
      for (const pair of pairs) {
        const waits = await measure(pair, next, count)
        next += count
        const label = round === 0 ? 'warm-up' : `round ${round}`
        console.error(`  ${label}  ${pair.name}: p50 ${show(waits.p50)} ms, p99 ${show(waits.p99)} ms`)
        if (round > 0) measured.get(pair.name)?.push(waits)
      }
    }
    return pairs.map(({ name }) => toFinding(measured, name))
  } finally {
    await Promise.all(pairs.flatMap(({ committer, worker }) => [committer.close(), worker.close()]))
  }
}

async function openPairs(servers: Servers): Promise<Pair[]> {
  const places = [
    { name: byHand, kind: 'raw', settings: await twoServers(servers) },
    { name: names.onRedis, kind: 'celeriac', settings: await twoServers(servers) },
    { name: names.onPostgres, kind: 'celeriac', settings: { databaseUrl: await servers.newDatabase() } },
  ]
  const pairs: Pair[] = []
  for (const { name, kind, settings } of places) {
    const committer = await startContender<Committer>(`committer-${kind}`, settings)
    const worker = await startContender<Runner>(`worker-${kind}`, settings)
    await committer.ask('open')
    await worker.ask('work', concurrency)
    pairs.push({ name, committer, worker })
  }
  return pairs
}

async function measure({ committer, worker }: Pair, first: number, count: number): Promise<Waits> {
  const sinceSent: number[] = []
  const sinceKnown: number[] = []
  for (let number = first; number < first + count; number += 1) {
    const started = worker.ask('startOf', number)
    const { sentAt, committedAt } = await committer.ask('commit', number)
    const startedAt = await started
    sinceSent.push(startedAt - sentAt)
    sinceKnown.push(startedAt - committedAt)
    await pause(Math.random() * pauseMs)
  }
  return {
    p50: percentile(sinceSent, 50),
    p99: percentile(sinceSent, 99),
    knownP50: percentile(sinceKnown, 50),
  }
}

function toFinding(measured: ReadonlyMap<string, readonly Waits[]>, name: string): Finding {
  const rounds = measured.get(name) ?? []
  const others = measured.get(byHand) ?? []
  const p50s = rounds.map(({ p50 }) => p50)
  const more = median(p50s.map((p50, round) => p50 - (others[round]?.p50 ?? Number.NaN)))
  const p50 = median(p50s)
  const spread = `${show(Math.min(...p50s))} to ${show(Math.max(...p50s))}`
  const p99 = show(median(rounds.map((round) => round.p99)))
  const known = show(median(rounds.map(({ knownP50 }) => knownP50)))
  return {
    part: 'commit',
    name: `${name}: commit to start`,
    ...(name === byHand
      ? {}
      : { ratio: `p50 ${more < 0 ? '−' : '+'} ${show(Math.abs(more))} ms to ${byHand}` }),
    figure: `p50 ${show(p50)} ms (${spread}), p99 ${p99} ms; from the answer of the commit ${known} ms`,
    ...(name === names.onRedis ? { target: `p50 < ${longestMs} ms`, met: p50 < longestMs } : {}),
  }
}
