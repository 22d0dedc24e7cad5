import type { Operations } from '../contender/many-queues.js'
import { pause } from '../contender/pause.js'
import type { Place } from '../contender/place.js'
import { type Contender, startContender } from '../contender.js'
import type { Finding } from '../finding.js'
import { names, twoServers } from '../lanes.js'
import type { Part } from '../part.js'
import { show } from '../rounds.js'
import type { Servers } from '../servers.js'
import { type Connections, type Rates, type Traffic, watchTraffic } from '../traffic.js'

const queues = 10
const sizes = {
  // Idle connections of a pool are closed after ten seconds.
  usual: { calls: 1000, settleMs: 15_000, idleMs: 30_000 },
  quick: { calls: 200, settleMs: 1000, idleMs: 6000 },
}
type Size = (typeof sizes)['usual']

type Role = 'web' | 'worker'
const roles: readonly Role[] = ['web', 'worker']
const roleNames = { web: 'web process', worker: 'worker' }
const mostStatements = { web: 1, worker: 2 }

/** The most connections that docs/architecture.md allows, whatever the number of queues. */
const documented: Readonly<Record<string, Readonly<Record<Role, Connections>>>> = {
  [names.onRedis]: { web: { postgres: 5, redis: 1 }, worker: { postgres: 9, redis: 3 } },
  [names.onPostgres]: { web: { postgres: 7, redis: 0 }, worker: { postgres: 16, redis: 0 } },
}

interface Seen {
  readonly busy: Connections
  readonly idle: Connections
  readonly rates: Rates
}

/** What one process asks of the servers, with ten queues: connections while it has work, and statements while it has none. */
export const connections: Part = async (servers, { quick }) => {
  const size = quick ? sizes.quick : sizes.usual
  const places = [
    { name: names.onRedis, place: await twoServers(servers) },
    { name: names.onPostgres, place: { databaseUrl: await servers.newDatabase() } },
  ]
  const findings: Finding[] = []
  for (const { name, place } of places) {
    // The worker runs what the web process has left.
    for (const role of roles)
      findings.push(...toFindings(name, role, await watch(servers, place, role, size)))
  }
  return findings
}

async function watch(servers: Servers, place: Place, role: Role, size: Size): Promise<Seen> {
  const process = await startContender<Operations>('many-queues', { ...place, queues })
  const traffic = await watchTraffic(servers.postgresUrl, place)
  try {
    return await watchProcess(process, traffic, role, size)
  } finally {
    await traffic.close()
    await process.close()
  }
}

async function watchProcess(
  process: Contender<Operations>,
  traffic: Traffic,
  role: Role,
  { calls, settleMs, idleMs }: Size,
): Promise<Seen> {
  const busy = await traffic.mostDuring(beBusy(process, role, calls))
  await pause(settleMs)
  const idle = await traffic.connections()
  const rates = await traffic.countFor(idleMs)
  await process.ask('close')
  return { busy, idle, rates }
}

async function beBusy(process: Contender<Operations>, role: Role, calls: number): Promise<void> {
  await process.ask('open', role)
  await (role === 'web' ? process.ask('call', calls) : process.ask('ended'))
}

function toFindings(name: string, role: Role, { busy, idle, rates }: Seen): Finding[] {
  const most = documented[name]?.[role] ?? { postgres: 0, redis: 0 }
  tell(`${name}: ${roleNames[role]}`, rates)
  return [
    {
      part: 'connections',
      name: `${name}: ${roleNames[role]} with ${queues} queues, connections`,
      figure: `at most ${describe(busy)}; idle ${describe(idle)}`,
      target: `≤ ${describe(most)}`,
      met: busy.postgres <= most.postgres && busy.redis <= most.redis,
    },
    {
      part: 'connections',
      name: `${name}: idle ${roleNames[role]}, statements`,
      figure: `${show(rates.statements)}/s${name === names.onRedis ? `, and ${show(rates.commands)}/s to Redis` : ''}`,
      target: `< ${mostStatements[role]}/s`,
      met: rates.statements < mostStatements[role],
    },
  ]
}

/** Which statements an idle process runs: what to look at when there are too many. */
function tell(name: string, { statements, texts }: Rates): void {
  console.error(`  ${name}: ${show(statements)} statements a second`)
  for (const { text, calls } of texts)
    console.error(`    ${calls} × ${text.replaceAll(/\s+/g, ' ').slice(0, 90)}`)
}

function describe({ postgres, redis }: Connections): string {
  return redis > 0 ? `PostgreSQL ${postgres}, Redis ${redis}` : `PostgreSQL ${postgres}`
}
