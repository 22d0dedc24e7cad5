import type { Pool } from 'pg'
import { secretless } from '../job/address.js'
import type { FactStore, PassFacts, StoreFacts, TableFacts } from './fact-store.js'

/** What there is to know of the server: from its own statistics, so that nothing is counted and nobody waits. */
export function createFacts(
  pool: Pool,
  url: string,
  timely: <T>(ask: () => Promise<T>) => Promise<T>,
): FactStore {
  return {
    facts: () => timely(() => readFacts(pool, url)),
    passes: () => timely(async () => (await pool.query<PassFacts>(passesSql)).rows),
  }
}

/** Of other users' sessions the server tells little to some: not what kind they are, nor since when they are in a transaction. */
const isClient = `coalesce(backend_type, 'client backend') = 'client backend'`

const serverSql = `
SELECT current_setting('server_version') AS version,
  1000 * date_part('epoch', clock_timestamp() - pg_postmaster_start_time()) AS "upMs",
  pg_database_size(current_database())::float8 AS "databaseBytes",
  (SELECT blks_hit / nullif(blks_hit + blks_read, 0)::float8 FROM pg_stat_database WHERE datname = current_database())
    AS "cacheHitRate",
  json_build_object(
    'open', (SELECT count(*) FROM pg_stat_activity WHERE ${isClient}),
    'most', current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
    'byName', (SELECT coalesce(json_agg(n), '[]') FROM (
      SELECT coalesce(application_name, '') AS name, count(*) AS open FROM pg_stat_activity
      WHERE datname = current_database() AND ${isClient} GROUP BY 1 ORDER BY 2 DESC, 1) AS n)) AS connections,
  (SELECT json_build_object('ms', 1000 * date_part('epoch', clock_timestamp() - xact_start), 'name', coalesce(application_name, ''))
    FROM pg_stat_activity WHERE xact_start IS NOT NULL AND pid <> pg_backend_pid() AND ${isClient}
    ORDER BY xact_start LIMIT 1) AS "oldestTransaction",
  json_build_object(
    'isReplica', pg_is_in_recovery(),
    'replicas', (SELECT coalesce(json_agg(r), '[]') FROM (
      SELECT coalesce(application_name, '') AS name, state,
        CASE WHEN NOT pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::float8 END AS "behindBytes",
        1000 * date_part('epoch', replay_lag) AS "behindMs"
      FROM pg_stat_replication ORDER BY 1) AS r)) AS replication`

/** The toast of a table counts for the table. Without an analysis the number of rows is what was written since the server counts. */
const tablesSql = `
SELECT c.relname AS name, pg_table_size(c.oid)::float8 AS bytes, pg_indexes_size(c.oid)::float8 AS "indexBytes",
  greatest(s.n_live_tup, CASE WHEN s.n_live_tup = 0 THEN c.reltuples ELSE 0 END, 0)::float8 AS rows,
  s.n_dead_tup::float8 AS "deadRows",
  greatest(s.last_vacuum, s.last_autovacuum) AS "vacuumedAt", greatest(s.last_analyze, s.last_autoanalyze) AS "analyzedAt",
  (SELECT coalesce(json_agg(x), '[]') FROM (
    SELECT i.relname AS name, pg_relation_size(i.oid) AS bytes
    FROM pg_index d JOIN pg_class i ON i.oid = d.indexrelid WHERE d.indrelid = c.oid ORDER BY 2 DESC, 1) AS x) AS indexes
FROM pg_class c JOIN pg_stat_user_tables s ON s.relid = c.oid
WHERE c.relnamespace = 'celeriac'::regnamespace AND c.relkind = 'r'
ORDER BY pg_total_relation_size(c.oid) DESC, 1`

const passesSql =
  'SELECT name, ran_at AS "ranAt", repaired::float8 AS repaired FROM celeriac.pass ORDER BY name'

type ServerRow = Omit<StoreFacts, 'kind' | 'address' | 'tables'> & { readonly version: string }

/** A table that is being changed cannot be measured: its lock is not waited for. */
const lockWait = `SET LOCAL lock_timeout = '200ms';`

async function readFacts(pool: Pool, url: string): Promise<StoreFacts> {
  const [server, tables] = await Promise.all([
    pool.query<ServerRow>(serverSql),
    pool.query<TableFacts>(`${lockWait} ${tablesSql}`).then(lastOf, noneIfLocked),
  ])
  const [row] = server.rows
  if (!row) throw new Error('The server gave no answer to what it was asked.')
  return {
    ...{ kind: 'postgres', address: secretless(url), ...row },
    version: row.version.split(' ')[0] ?? row.version,
    tables,
  }
}

/** Of several statements in one message the driver gives a list of answers. */
function lastOf(answer: unknown): TableFacts[] {
  const last: unknown = Array.isArray(answer) ? answer.at(-1) : answer
  return (last as { rows: TableFacts[] }).rows
}

function noneIfLocked(error: unknown): null {
  if ((error as { code?: unknown }).code === '55P03') return null
  throw error
}
