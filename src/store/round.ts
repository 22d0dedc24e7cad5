import type { Pool } from 'pg'
import { isGone } from './lost.js'
import { isLate } from './operations.js'
import { isLeft } from './outbox.js'
import { isExpired, isOverdue, isUndispatched } from './repairs.js'
import type { LastMark, Round, Setting, Ticket, Walk, Work } from './store.js'

/** Begins a maintenance round: one statement, so that a process with nothing to do asks nothing else. */
export async function beginRound(pool: Pool, tickets: readonly Ticket[]): Promise<Round> {
  const { rows } = await pool.query<Row>(roundSql, [
    tickets.map(({ pass }) => pass),
    tickets.map(({ everyMs }) => everyMs),
  ])
  const [row] = rows
  if (!row) throw new Error('The tables of Celeriac lack the row that says which installation they are.')
  const { due, walks, settings, installation, mark, instance, now, ...work } = row
  return {
    due,
    work,
    walks,
    mark: { installation, mark, instance, now },
    settings: settings.map((setting) => ({ ...setting, setAt: new Date(setting.setAt) })),
  }
}

/** A pass that has more to do than its time allowed is due again at once, for whoever comes next. */
export async function returnTicket(pool: Pool, pass: string): Promise<void> {
  await pool.query('UPDATE celeriac.pass SET is_returned = true WHERE name = $1', [pass])
}

interface Row extends Work, LastMark {
  readonly due: readonly string[]
  readonly walks: readonly Walk[]
  readonly settings: readonly Setting[]
}

/** By its index, whatever the planner believes of the table. */
const some = (what: string, order: string) =>
  `(SELECT true FROM celeriac.job j WHERE ${what} ORDER BY j.${order} LIMIT 1) IS NOT NULL`

/** Only a process that may run the pass looks for its work: many processes cost no more than one. */
const workFor = (passes: string, found: string) =>
  `CASE WHEN EXISTS (SELECT 1 FROM due WHERE name IN (${passes})) THEN ${found} ELSE false END`

const outboxHasOld = `EXISTS (SELECT 1 FROM celeriac.outbox WHERE ${isLeft})`

const someWorkers = `EXISTS (SELECT 1 FROM celeriac.worker WHERE (stopped_at IS NULL AND lost_at IS NULL) OR ${isGone})`

/** Not at once: the workers that live say first what they hold. */
const wasRestarted = `pg_postmaster_start_time() > store_started_at + interval '1 millisecond'
    AND pg_postmaster_start_time() < now() - interval '15 seconds'`

/** Nobody runs a pass twice in its interval; a ticket of the future is that of a clock that was put back. */
const roundSql = `
WITH due AS (
  INSERT INTO celeriac.pass AS p (name, ran_at)
  SELECT asked.name, now() FROM unnest($1::text[], $2::float8[]) AS asked(name, every_ms)
  LEFT JOIN celeriac.pass known ON known.name = asked.name
  WHERE known.ran_at IS NULL OR known.is_returned
    OR abs(extract(epoch FROM now() - known.ran_at)) * 1000 > asked.every_ms
  ORDER BY 1
  ON CONFLICT (name) DO UPDATE SET ran_at = now(), is_returned = false
    WHERE p.is_returned OR abs(extract(epoch FROM now() - p.ran_at)) * 1000 > 100
  RETURNING p.name)
SELECT ARRAY(SELECT name FROM due) AS due,
  ${workFor("'dispatch'", outboxHasOld)} AS outbox,
  ${workFor("'dispatch'", some(isUndispatched, 'run_at'))} AS undispatched,
  ${workFor("'overdue'", some(isOverdue, 'run_at'))} AS overdue,
  ${workFor("'expiry'", some(isExpired, 'expires_at'))} AS expired,
  ${workFor("'stuck', 'net'", some('j.finished_at IS NULL', 'queue'))} AS open,
  ${workFor("'stats'", 'EXISTS (SELECT 1 FROM celeriac.stat_delta)')} AS moves,
  ${workFor("'lost'", someWorkers)} AS workers,
  ${workFor("'operations'", `EXISTS (SELECT 1 FROM celeriac.operation o WHERE ${isLate})`)} AS operations,
  ${workFor("'restart'", wasRestarted)} AS restarted,
  ARRAY(SELECT json_build_object('name', name, 'since', extract(epoch FROM since) * 1000, 'step', step,
    'cursor', json_build_object('queue', queue, 'jobId', job_id)) FROM celeriac.walk) AS walks,
  ARRAY(SELECT json_build_object('name', name, 'value', value, 'setBy', set_by, 'setAt', set_at)
    FROM celeriac.setting ORDER BY name) AS "settings",
  id AS installation, broker_mark::float8 AS mark, broker_instance AS instance,
  (extract(epoch FROM now()) * 1000)::float8 AS now
FROM celeriac.installation`
