import type { Operations as Api } from '../contender/pool-api.js'
import { startContender } from '../contender.js'
import type { Finding } from '../finding.js'
import { names, twoServers } from '../lanes.js'
import type { Part } from '../part.js'
import { percentile } from '../percentile.js'
import { show } from '../rounds.js'
import type { Servers } from '../servers.js'

const samples = 20
const longestMs = 1500

/** A job in `while (true)` in the pool of another process: how long from its cancel until its slot runs the next job. */
export const pools: Part = async (servers, { quick }) => {
  const findings: Finding[] = []
  for (const lane of [names.onRedis, names.onPostgres] as const) {
    for (const pool of ['thread', 'process'] as const)
      findings.push(await measureLane(servers, lane, pool, quick ? 3 : samples))
  }
  return findings
}

async function measureLane(
  servers: Servers,
  lane: string,
  pool: 'thread' | 'process',
  count: number,
): Promise<Finding> {
  const place =
    lane === names.onRedis ? await twoServers(servers) : { databaseUrl: await servers.newDatabase() }
  const worker = await startContender('pool-worker', { place, pool })
  const api = await startContender<Api>('pool-api', { place })
  try {
    const ms: number[] = []
    // The first one warms up.
    for (let sample = 0; sample <= count; sample += 1) ms.push(await api.ask('freeSlot'))
    const [p50, p90, max] = [50, 90, 100].map((rank) => percentile(ms.slice(1), rank))
    const figure = `p50 ${show(p50 ?? 0)} ms, p90 ${show(p90 ?? 0)} ms, longest ${show(max ?? 0)} ms of ${count}`
    console.error(`  ${lane}, ${pool}: ${figure}`)
    return {
      part: 'pools',
      name: `${lane}: cancel of \`while (true)\` to its slot’s next job, ${pool}`,
      target: `p90 ≤ ${longestMs} ms`,
      met: (p90 ?? 0) <= longestMs,
      figure,
    }
  } finally {
    await Promise.all([api.close(), worker.close()])
  }
}
