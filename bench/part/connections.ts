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
  // Idle connections of a pool are closed after ten seconds, and a worker that left is looked after for a minute.
  usual: { calls: 1000, settleMs: { worker: 15_000, web: 65_000 }, idleMs: 30_000 },
  quick: { calls: 200, settleMs: { worker: 3000, web: 3000 }, idleMs: 9000 },
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

/** What one process asks of the servers, with ten queues: connections while it has work, and statements while there is none. */
export const connections: Part = async (servers, { quick }) => {
  const size = quick ? sizes.quick : sizes.usual
  const places = [
    { name: names.onRedis, place: await twoServers(servers) },
    { name: names.onPostgres, place: { databaseUrl: await servers.newDatabase() } },
  ]
  const findings: Finding[] = []
  for (const { name, place } of places) {
    const seen = await watch(servers, place, size)
    for (const role of roles) findings.push(...toFindings(name, role, seen[role]))
  }
  return findings
}

async function watch(servers: Servers, place: Place, size: Size): Promise<Record<Role, Seen>> {
  const process = await startContender<Operations>('many-queues', { ...place, queues })
  const traffic = await watchTraffic(servers.postgresUrl, place)
  try {
    return await watchInTurn(process, traffic, size)
  } finally {
    await traffic.close()
    await process.close()
  }
}

/**
 * A web process calls, a worker runs what was called, and only then is anybody idle: jobs that wait give the passes
 * something to do. One process at a time, so that each is counted alone.
 */
async function watchInTurn(
  process: Contender<Operations>,
  traffic: Traffic,
  size: Size,
): Promise<Record<Role, Seen>> {
  const busyWeb = await traffic.mostDuring(open(process, 'web').then(() => process.ask('call', size.calls)))
  await process.ask('close')
  const busyWorker = await traffic.mostDuring(open(process, 'worker').then(() => process.ask('ended')))
  const worker = { busy: busyWorker, ...(await watchIdle(process, traffic, 'worker', size)) }
  await open(process, 'web')
  const web = { busy: busyWeb, ...(await watchIdle(process, traffic, 'web', size)) }
  return { web, worker }
}

async function open(process: Contender<Operations>, role: Role): Promise<void> {
  await process.ask('open', role)
}

async function watchIdle(
  process: Contender<Operations>,
  traffic: Traffic,
  role: Role,
  { settleMs, idleMs }: Size,
): Promise<Omit<Seen, 'busy'>> {
  await pause(settleMs[role])
  const idle = await traffic.connections()
  const rates = await traffic.countFor(idleMs)
  await process.ask('close')
  return { idle, rates }
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
