import { hasFailed } from '../store/server-facts.js'
import { type Check, fault, ok } from './check.js'
import { serverOf } from './database.js'

export const poolerCheck: Check = {
  id: 'pooler',
  title: 'sessions of PostgreSQL',
  judge(facts) {
    const server = serverOf(facts)
    if (!server) return undefined
    const { pooled } = facts
    if (server.isPooled)
      return fault(
        `${pooled ? 'DIRECT_URL' : 'DATABASE_URL'} leads through a pooler in transaction mode, where LISTEN and session locks are lost without an error.`,
        'Set DIRECT_URL (or "directUrl") to the same database without the pooler, and add pgbouncer=true to the URL of the pooler.',
      )
    const goesThrough = pooled !== undefined && !hasFailed(pooled) && pooled.isPooled
    return ok(
      goesThrough ? 'through a pooler, and DIRECT_URL leads around it' : 'each connection has its own',
    )
  },
}
