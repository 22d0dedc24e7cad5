import type { Pool } from 'pg'
import { type BulkAction, type BulkOutcome, bulkStates } from '../job/filter.js'
import { askedToStop, begunAnew, dueNow, handedOverAnew, redelivery, tellWorker, toNote } from './repairs.js'
import type { Acted, JobDeed, JobOutcome } from './search-store.js'
import type { Redelivery } from './store.js'

/**
 * The same for many jobs, in one statement each. Rows are locked in the order of their ids, as everywhere, and looked at
 * again once they are locked: what has moved meanwhile, because a worker took it, is left alone.
 */
const locked = (action: BulkAction) => `
target AS MATERIALIZED (
  SELECT j.id, j.task, j.queue, j.state FROM celeriac.job j WHERE j.id = ANY($1::uuid[]) AND j.state IN (${listed(bulkStates[action])})
  ORDER BY j.id FOR UPDATE)`

function listed(states: readonly string[]): string {
  return states.map((state) => `'${state}'`).join(', ')
}

const cancelSql = `
WITH ${locked('cancel')},
asked AS (
  UPDATE celeriac.job j SET ${askedToStop} FROM target WHERE j.id = target.id
  RETURNING j.id, j.state)
SELECT id, CASE state WHEN 'running' THEN 'cancelling' ELSE 'cancelled' END AS outcome, ${tellWorker} FROM asked`

const retrySql = `
WITH ${locked('retry')}
UPDATE celeriac.job j SET ${begunAnew} FROM target WHERE j.id = target.id RETURNING ${redelivery}`

const promoteSql = `
WITH ${locked('promote')}
UPDATE celeriac.job j SET ${dueNow} FROM target WHERE j.id = target.id RETURNING ${redelivery}`

/** What was found waiting may have been run to its end since: it is another state that was meant. */
const deleteSql = `
WITH ${locked('delete')}
DELETE FROM celeriac.job j USING target WHERE j.id = target.id AND target.state::text = ANY($2::text[]) RETURNING j.id`

/**
 * What waits for its turn has a line in another table, and its new queue may have another worker. The trigger that
 * counts moves sees states alone, so what leaves a queue and what comes into one is counted here.
 */
const moveSql = `
WITH ${locked('move')},
moved AS (
  UPDATE celeriac.job j SET queue = coalesce($2::text, j.queue), priority = coalesce($3, j.priority),
    delivery = j.delivery + 1, dispatched_at = CASE j.state WHEN 'queued' THEN ${handedOverAnew} END
  FROM target WHERE j.id = target.id
  RETURNING ${redelivery}),
turns AS (
  UPDATE celeriac.turn t SET queue = coalesce($2, t.queue), priority = coalesce($3, t.priority)
  FROM target WHERE t.job_id = target.id),
counted AS (
  INSERT INTO celeriac.stat_delta (task, queue, was, "is", how, jobs)
  SELECT task, queue, state::text, '', 'moved', count(*) FROM target WHERE queue <> $2 GROUP BY task, queue, state
  UNION ALL
  SELECT task, $2::text, '', state::text, 'moved', count(*) FROM target WHERE queue <> $2 GROUP BY task, state)
SELECT moved.*, CASE WHEN "isLimited" THEN pg_notify('celeriac_turn', queue || ' ' || task)::text END AS told FROM moved`

/** By itself. One of two statements that wait for each other is ended, and may well pass when it is sent again. */
export function act(pool: Pool, ids: readonly string[], deed: JobDeed): Promise<Acted> {
  return again(() => actOn(pool, ids, deed))
}

/** As a part of what the caller has begun. */
export async function actOn(client: Asked, ids: readonly string[], deed: JobDeed): Promise<Acted> {
  switch (deed.action) {
    case 'cancel': {
      const values = [ids, toNote(deed.by), toNote(deed.reason)]
      const { rows } = await client.query<JobOutcome>(cancelSql, values)
      const asked = rows.map(({ id, outcome }) => ({ id, outcome }))
      return { outcomes: await withOthers(client, ids, asked, 'finished'), redeliveries: [] }
    }
    case 'delete': {
      const { rows } = await client.query<{ id: string }>(deleteSql, [ids, deed.states ?? bulkStates.delete])
      const gone = rows.map(({ id }) => ({ id, outcome: 'deleted' }) as const)
      return { outcomes: await withOthers(client, ids, gone), redeliveries: [] }
    }
    case 'retry':
      return toMoved(client, ids, retrySql, [], 'retried')
    case 'promote':
      return toMoved(client, ids, promoteSql, [], 'promoted')
    case 'move': {
      const { queue = null, priority = null } = deed.to
      return toMoved(client, ids, moveSql, [queue, priority], 'moved')
    }
  }
}

/** A pool, or one connection of it. */
type Asked = Pick<Pool, 'query'>

async function toMoved(
  client: Asked,
  ids: readonly string[],
  sql: string,
  values: readonly unknown[],
  outcome: BulkOutcome,
): Promise<Acted> {
  const { rows } = await client.query<Redelivery & { told?: unknown }>(sql, [ids, ...values])
  const redeliveries = rows.map(({ told: _, ...each }) => each)
  const moved = redeliveries.map(({ jobId: id }) => ({ id, outcome }))
  return { outcomes: await withOthers(client, ids, moved), redeliveries }
}

/** What was left alone is told, too: there is no such job, or it is in a state for which this means nothing. */
async function withOthers(
  client: Asked,
  ids: readonly string[],
  done: readonly JobOutcome[],
  other: BulkOutcome = 'unfit',
): Promise<JobOutcome[]> {
  if (done.length === ids.length) return [...done]
  const reached = new Set(done.map(({ id }) => id))
  const left = ids.filter((id) => !reached.has(id))
  const { rows } = await client.query<{ id: string }>(
    'SELECT id FROM celeriac.job WHERE id = ANY($1::uuid[])',
    [left],
  )
  const known = new Set(rows.map(({ id }) => id))
  return [...done, ...left.map((id): JobOutcome => ({ id, outcome: known.has(id) ? other : 'unknown' }))]
}

const mostTries = 5

/** Asks once more where two statements waited for each other, and one of them was ended for it. */
export async function again<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await ask()
    } catch (error) {
      const { code } = error as { readonly code?: string }
      if ((code !== '40P01' && code !== '40001') || tries === mostTries) throw error
    }
  }
}
