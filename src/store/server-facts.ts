import { createClient, type SingleClient, type Trouble, troubleIn } from './connection.js'
import { migrationsIn } from './migrate.js'

/** What there is to know of a PostgreSQL before anybody works on it. */
export interface ServerFacts {
  /** As `18.4`. */
  readonly version: string
  /** As 180004. */
  readonly versionNumber: number
  readonly isReadOnly: boolean
  readonly maxConnections: number
  /** Kept for administrators. */
  readonly reservedConnections: number
  /** Open ones that are not of Celeriac, to any database of the server. */
  readonly otherConnections: number
  /** How much this machine's clock is ahead of the server's, in milliseconds; as exact as the way there is short. */
  readonly skewMs: number
  /** Two connections that are open at once are served by one session, or one by two: there is a transaction pooler between. */
  readonly isPooled: boolean
}

/** Why a server told nothing. */
export interface ServerFailure {
  readonly trouble: Trouble | 'unknown'
  /** The SQLSTATE, or Node's code; empty when there is none. */
  readonly code: string
  readonly message: string
}

const applicationName = 'celeriac check'

/** Never rejects, and answers within some deadlines. */
export async function readServerFacts(url: string, deadlineMs: number): Promise<ServerFacts | ServerFailure> {
  const [client, second] = [open(url, deadlineMs), open(url, deadlineMs)]
  try {
    await client.connect()
    const facts = await readFacts(client)
    await second.connect()
    return { ...facts, isPooled: await sharesSessions(client, second) }
  } catch (error) {
    return toFailure(error)
  } finally {
    await Promise.all([client.end(), second.end()].map((end) => end.catch(() => {})))
  }
}

export function hasFailed<Facts extends object>(found: Facts | ServerFailure): found is ServerFailure {
  return 'trouble' in found
}

/** How the tables stand. Names of migrations, or why nothing can be said. */
export type TablesFacts =
  | { readonly applied: readonly string[]; readonly pending: readonly string[] }
  /** They are newer, edited, half applied, or not to be read: the message says what to do. */
  | { readonly message: string }

export async function readTablesFacts(url: string, deadlineMs: number): Promise<TablesFacts> {
  const client = open(url, deadlineMs)
  try {
    await client.connect()
    return await migrationsIn(client)
  } catch (error) {
    return { message: error instanceof Error ? error.message : String(error) }
  } finally {
    await client.end().catch(() => {})
  }
}

/** The number that the store keeps of the broker's mark; 0 before the first. */
export async function readLastMark(url: string, deadlineMs: number): Promise<number> {
  const client = open(url, deadlineMs)
  try {
    await client.connect()
    const { rows } = await client.query<{ mark: string }>(
      'SELECT broker_mark AS mark FROM celeriac.installation LIMIT 1',
    )
    return Number(rows[0]?.mark ?? 0)
  } catch {
    return 0
  } finally {
    await client.end().catch(() => {})
  }
}

function open(url: string, deadlineMs: number): SingleClient {
  return createClient({ url, applicationName, connectTimeoutMs: deadlineMs, queryTimeoutMs: deadlineMs })
}

const factsSql = `SELECT current_setting('server_version') AS version,
  current_setting('server_version_num') AS number,
  current_setting('transaction_read_only') AS readonly,
  current_setting('max_connections') AS most,
  current_setting('superuser_reserved_connections') AS reserved,
  (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'
    AND application_name NOT LIKE 'celeriac%') AS others,
  extract(epoch FROM clock_timestamp()) * 1000 AS now`

interface FactsRow {
  readonly version: string
  readonly number: string
  readonly readonly: string
  readonly most: string
  readonly reserved: string
  readonly others: string
  readonly now: string
}

async function readFacts(client: SingleClient): Promise<Omit<ServerFacts, 'isPooled'>> {
  const askedAt = Date.now()
  const { rows } = await client.query<FactsRow>(factsSql)
  const heardAt = Date.now()
  const [row] = rows
  if (!row) throw new Error('The server gave no answer to what it was asked.')
  return {
    version: row.version.split(' ')[0] ?? row.version,
    versionNumber: Number(row.number),
    isReadOnly: row.readonly !== 'off',
    maxConnections: Number(row.most),
    reservedConnections: Number(row.reserved),
    otherConnections: Number(row.others),
    skewMs: Math.round((askedAt + heardAt) / 2 - Number(row.now)),
  }
}

/** By behaviour: a pooler has no sign of its own, and hands the session that is free to whoever asks. */
async function sharesSessions(client: SingleClient, second: SingleClient): Promise<boolean> {
  const sessions = new Map<SingleClient, Set<number>>([
    [client, new Set()],
    [second, new Set()],
  ])
  for (let round = 0; round < 3; round += 1)
    for (const [each, seen] of sessions) {
      const { rows } = await each.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
      seen.add(rows[0]?.pid ?? 0)
    }
  const [mine = new Set(), its = new Set()] = [...sessions.values()]
  return mine.size > 1 || its.size > 1 || [...mine].some((pid) => its.has(pid))
}

function toFailure(error: unknown): ServerFailure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  const message = error instanceof Error ? error.message : String(error)
  return { trouble: troubleIn(error) ?? 'unknown', code, message }
}
