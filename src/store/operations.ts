import type { Pool, PoolClient } from 'pg'
import { actOn, again } from './bulk.js'
import { withClient } from './connection.js'
import type {
  HeldOperation,
  NewOperation,
  OperationStore,
  OperationWork,
  StoredOperation,
  Tally,
  Worked,
} from './operation-store.js'
import type { Acted } from './search-store.js'
import { addTo, toStrangers } from './tally.js'

/** A runner says that it lives every few seconds. One that is silent for longer has died, or hangs. */
const silence = `interval '10 seconds'`

export const isLate = `o.state = 'running' AND o.is_lasting AND o.seen_at < now() - ${silence}`

const held = `o.id, o.runner, o.step, o.plan, o.cursor, o.is_lasting AS "isLasting", o.done, o.matched`

/** How far it has come. */
export const standing = `
  CASE WHEN o.state = 'running' AND o.seen_at < now() - ${silence} THEN 'interrupted' ELSE o.state END AS state,
  o.is_lasting AS "isLasting", o.cursor, o.done, o.affected, o.counts, greatest(o.matched, o.done) AS matched,
  o.is_more AS "isMore", o.rate, o.moved_at AS "movedAt", o.ended_at AS "endedAt", o.stopped_by AS "stoppedBy", o.error`

const told = `o.id, c.verb, c.args, c.asked_by AS "askedBy", c.asked_from AS "askedFrom", c.asked_at AS "askedAt",
  ${standing}`

/** @param working of one connection: a process works one batch at a time, whatever it has to do */
export function createOperations(
  pools: { readonly working: Pool; readonly shared: Pool },
  guards: Record<'guard' | 'timely', <T>(ask: () => Promise<T>) => Promise<T>>,
): OperationStore {
  const { guard, timely } = guards
  const query = async <Row extends object>(text: string, values: readonly unknown[] = []) =>
    (await pools.shared.query<Row>(text, [...values])).rows

  return {
    addOperation: (operation) => timely(async () => void (await query(addSql, toValues(operation)))),
    workOperation: (work) => guard(() => again(() => workOff(pools.working, work))),
    renewOperation: ({ id, runner }, matched) =>
      timely(async () => {
        const { count = null, isMore = null } = matched ?? {}
        return (await query(renewSql, [id, runner, count, isMore])).length === 1
      }),
    heldOperation: ({ id, runner }) =>
      timely(async () => (await query<HeldOperation>(heldSql, [id, runner]))[0]),
    failOperation: ({ id, runner }, error) =>
      timely(async () => void (await query(failSql, [id, runner, error.slice(0, longestError)]))),
    releaseOperation: ({ id, runner }) => timely(async () => void (await query(releaseSql, [id, runner]))),
    takeOverOperation: (runner) => guard(async () => (await query<HeldOperation>(takeOverSql, [runner]))[0]),
    stopOperation: (id, by) => timely(async () => (await query(stopSql, [id, by])).length === 1),
    resumeOperation: (id, runner) =>
      timely(async () => (await query<HeldOperation>(resumeSql, [id, runner]))[0]),
    operation: (id) => timely(async () => (await query<ToldRow>(oneSql, [id])).map(fromRow)[0]),
    openOperations: () => timely(async () => (await query<ToldRow>(openSql)).map(fromRow)),
  }
}

const longestError = 2000

const addSql = `
WITH asked AS (
  INSERT INTO celeriac.command (id, verb, args, asked_by, asked_from, expires_at) VALUES ($1, $2, $3, $4, $5, now()))
INSERT INTO celeriac.operation (id, plan, is_lasting, cursor, runner) VALUES ($1, $6, $7, $8, $9)`

function toValues(operation: NewOperation): unknown[] {
  const { id, verb, args, askedBy, askedFrom, plan, isLasting, cursor, runner } = operation
  return [id, verb, args, askedBy, askedFrom, plan, isLasting, cursor, runner]
}

const isOwn = `o.id = $1 AND o.runner = $2 AND o.state = 'running'`

const renewSql = `
UPDATE celeriac.operation o SET seen_at = now(), matched = coalesce($3, o.matched), is_more = coalesce($4, o.is_more),
  moved_at = CASE WHEN $3::int IS NULL THEN o.moved_at ELSE now() END
WHERE ${isOwn} RETURNING o.id`

const heldSql = `SELECT ${held} FROM celeriac.operation o WHERE ${isOwn}`

const failSql = `
UPDATE celeriac.operation o SET state = 'failed', error = $3, ended_at = now(), step = o.step + 1 WHERE ${isOwn}`

const releaseSql = `UPDATE celeriac.operation o SET seen_at = 'epoch' WHERE ${isOwn} AND o.is_lasting`

const takeOverSql = `
UPDATE celeriac.operation o SET runner = $1, step = o.step + 1, seen_at = now()
WHERE o.id = (SELECT o.id FROM celeriac.operation o WHERE ${isLate} ORDER BY o.seen_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING ${held}`

/** A batch holds the row until it is committed, so nothing is done any more once this has passed. */
const stopSql = `
UPDATE celeriac.operation o SET state = 'stopped', stopped_by = $2, ended_at = now(), step = o.step + 1
WHERE o.id = $1 AND o.state = 'running' RETURNING o.id`

const resumeSql = `
UPDATE celeriac.operation o SET state = 'running', runner = $2, step = o.step + 1, is_lasting = true, seen_at = now(),
  moved_at = now(), ended_at = NULL, stopped_by = NULL, error = NULL
WHERE o.id = $1
  AND (o.state IN ('stopped', 'failed') OR (o.state = 'running' AND o.seen_at < now() - ${silence}))
RETURNING ${held}`

const oneSql = `
SELECT ${told} FROM celeriac.operation o JOIN celeriac.command c ON c.id = o.id WHERE o.id = $1`

const openSql = `
SELECT ${told} FROM celeriac.operation o JOIN celeriac.command c ON c.id = o.id WHERE o.state = 'running' ORDER BY o.id`

type ToldRow = Omit<StoredOperation, 'counts'> & { readonly counts: string }

function fromRow(row: ToldRow): StoredOperation {
  return { ...row, counts: JSON.parse(row.counts) as Tally['counts'] }
}

/** What a batch does, and where its operation then stands, are committed together: no batch is done twice, or not counted. */
function workOff(pool: Pool, work: OperationWork): Promise<Worked | undefined> {
  return withClient(pool, async (client) => {
    await client.query(work.isDone ? 'BEGIN' : beginSql)
    const worked = await workIn(client, work)
    await client.query(worked ? 'COMMIT' : 'ROLLBACK')
    return worked
  })
}

/**
 * A crash may take the last moments back, jobs and progress alike, and whoever goes on does them again. Who commits for
 * good, as the last batch and a stop do, has all before it kept, too; and nobody waits for the disk behind each batch.
 */
const beginSql = 'BEGIN; SET LOCAL synchronous_commit = off'

async function workIn(client: PoolClient, work: OperationWork): Promise<Worked | undefined> {
  const { id, runner, step, deed, ids, strangers, cursor, isDone } = work
  const { rows } = await client.query<{ done: number; affected: number; counts: string }>(holdSql, [
    ...[id, runner, step],
  ])
  const [before] = rows
  if (!before) return undefined
  const { outcomes, redeliveries } = ids.length === 0 ? nothing : await actOn(client, ids, deed)
  const all = [...outcomes, ...toStrangers(strangers)]
  const tally = addTo({ ...before, counts: JSON.parse(before.counts) as Tally['counts'] }, all)
  await client.query(moveSql, [
    ...[id, cursor, isDone, tally.done, tally.affected, JSON.stringify(tally.counts), all.length],
  ])
  return { outcomes: all, redeliveries, ...tally, step: step + 1 }
}

const nothing: Acted = { outcomes: [], redeliveries: [] }

const holdSql = `
SELECT o.done, o.affected, o.counts FROM celeriac.operation o WHERE ${isOwn} AND o.step = $3 FOR UPDATE`

/** The rate follows the last batches, and forgets the first. */
const moveSql = `
UPDATE celeriac.operation o SET step = o.step + 1, cursor = $2, state = CASE WHEN $3 THEN 'done' ELSE 'running' END,
  ended_at = CASE WHEN $3 THEN clock_timestamp() END, done = $4, affected = $5, counts = $6,
  moved_at = clock_timestamp(), seen_at = clock_timestamp(),
  rate = CASE WHEN o.rate IS NULL THEN r.now ELSE o.rate * 0.8 + r.now * 0.2 END
FROM (SELECT $7::float8 / greatest(extract(epoch FROM clock_timestamp() - moved_at), 0.001)::float8 AS now
  FROM celeriac.operation WHERE id = $1) AS r
WHERE o.id = $1`
