import { type Check, fault, ok, warning } from './check.js'
import { serverOf } from './database.js'

/** The figures of docs/architecture.md, "Processes, threads, connections", with those that are open for a while only. */
const ofWeb = { redis: 10, postgres: 12 }
const ofWorker = { redis: 14, postgres: 21 }
/** A budget of which more than this is needed leaves no room for a rolling deploy. */
const comfortable = 0.6

/** Whether PostgreSQL has room for the workers that run, one web process at least, and what others hold. */
export const connectionsCheck: Check = {
  id: 'connections',
  title: 'connections of PostgreSQL',
  judge(facts) {
    const server = serverOf(facts)
    if (!server || typeof facts.config === 'string') return undefined
    const { kind } = facts.config.broker
    const workers = Math.max(1, facts.cluster?.workers.length ?? 0)
    const needed = workers * ofWorker[kind] + ofWeb[kind]
    const free = server.maxConnections - server.reservedConnections - server.otherConnections
    const sum = `${workers} ${workers === 1 ? 'worker' : 'workers'} and a web process open up to ${needed} connections, and ${Math.max(0, free)} are free for them (max_connections ${server.maxConnections}, ${server.otherConnections} open for others)`
    if (needed > free)
      return fault(
        `${sum}.`,
        'Raise max_connections, make pools smaller by connection_limit in the URL, or put a pooler before it.',
      )
    if (needed > free * comfortable)
      return warning(
        `${sum}: a rolling deploy runs old and new processes side by side.`,
        'Raise max_connections.',
      )
    return ok(sum)
  },
}
