import type { Pool } from 'pg'
import {
  type Admission,
  admit as decide,
  type Line,
  type Recent,
  type Scene,
  type WaitingKey,
} from '../job/admission.js'
import type { Limit, TaskLimits } from '../job/limit.js'
import { sleep } from '../waiting.js'
import { toContext, toOptions } from './rows.js'
import { claimed, type Statement } from './statements.js'
import type { Admitted, AdmittedTask, Applicant, ClaimedJob, LimitedClaim, LimitedCount } from './store.js'

/**
 * Admission of jobs with limits: look which wait, decide, and take those that may start.
 *
 * Nothing is locked between look and taking. Each admission raises the step of the rows of `limit_state` that it went
 * by, and is done only where nobody else has raised them since the look: until then the limits can only have become
 * emptier. So a process that stands still in the middle holds up nobody.
 */
export async function admit({ own, shared }: AdmissionPools, applicant: Applicant): Promise<Admitted> {
  try {
    const lines = await findLines(own.totalCount > 0 ? own : shared, applicant)
    if (lines.length === 0) return nothing
    return await admitFrom(own, applicant, lines)
  } catch (error) {
    if (!(error instanceof UnsureAdmission)) throw error
    const jobs = await recoverSurely(own, error, applicant.workerId)
    return { ...nothing, jobs, isWaiting: true, isUnfinished: true }
  }
}

/** A process that finds nothing to admit opens no connection of its own for it. */
export interface AdmissionPools {
  readonly own: Pool
  readonly shared: Pool
}

async function admitFrom(pool: Pool, applicant: Applicant, lines: readonly FoundLine[]): Promise<Admitted> {
  const look = await lookAt(pool, applicant, lines)
  const decision = decide(look.scene)
  const rest = {
    isWaiting: true,
    nextInMs: toWait(decision.nextAt, look.scene.now),
    paced: toPaced(decision, look),
  }
  const isCut = look.cut.size > 0
  if (decision.starts.length === 0 && !isCut) return { ...nothing, ...rest }
  const taken = await take(pool, applicant.workerId, look, decision)
  if (!taken) return { ...nothing, isWaiting: true, isUnfinished: true }
  return {
    ...taken,
    ...rest,
    isUnfinished: taken.expired.length > 0 || (isCut && taken.jobs.length < applicant.places),
  }
}

const nothing: Admitted = Object.freeze({
  jobs: [],
  isWaiting: false,
  isUnfinished: false,
  nextInMs: null,
  paced: [],
  expired: [],
})

interface FoundLine {
  /** As the rows have it: a name or an alias. */
  readonly stored: string
  readonly queue: string
  readonly order: number
  readonly task: AdmittedTask
}

const linesSql = `
WITH RECURSIVE line AS (
  (SELECT t.task, t.queue FROM celeriac.turn t ORDER BY t.task, t.queue LIMIT 1)
  UNION ALL
  SELECT n.task, n.queue FROM line l CROSS JOIN LATERAL (
    SELECT t.task, t.queue FROM celeriac.turn t WHERE (t.task, t.queue) > (l.task, l.queue)
    ORDER BY t.task, t.queue LIMIT 1) AS n)
SELECT task, queue FROM line WHERE queue = ANY($1::text[])`

/** Which tasks wait in which queues, of those that the worker serves and knows. */
async function findLines(pool: Pool, { queues, limitsOf }: Applicant): Promise<FoundLine[]> {
  const rows = await run<{ task: string; queue: string }>(pool, {
    name: 'celeriac_lines',
    text: linesSql,
    values: [queues],
  })
  return rows.flatMap(({ task: stored, queue }) => {
    const task = limitsOf(stored)
    return task ? [{ stored, queue, order: queues.indexOf(queue), task }] : []
  })
}

interface Look {
  readonly scene: Scene
  readonly found: readonly FoundLine[]
  /** Steps of the rows of `limit_state`, by name. */
  readonly steps: ReadonlyMap<string, number>
  /** Lines with more keys than one look takes in, and how far it came. */
  readonly cut: ReadonlyMap<string, string>
}

interface LookRow {
  readonly now: number
  readonly states: readonly { name: string; at: number | null; step: number; recent: Recent | null }[] | null
  readonly tasks: readonly { name: string; running: number }[] | null
  readonly queues: readonly { name: string; running: number }[] | null
  readonly walks: readonly { line: number; steps: number; last: string; at: number | null }[] | null
  readonly keys: readonly KeyRow[] | null
}

interface KeyRow {
  readonly line: number
  readonly key: string
  readonly running: number
  readonly at: number | null
  /** How many of its jobs were asked for. */
  readonly most: number
  readonly jobs: readonly [jobId: string, priority: number, since: number][] | null
}

/** Keys that one look goes through at most, where few of them may start. */
const mostKeys = 1000

const ms = (time: string) => `(extract(epoch FROM ${time}) * 1000)::float8`

/** The keys of a line that follow `last_key`, round to where it began, until enough of them may start. */
const walkSql = `
WITH RECURSIVE walk AS (
  SELECT line.start AS key, false AS wrapped, 0 AS step, 0 AS found, 0 AS running, NULL::timestamptz AS next_at, false AS ok
  UNION ALL
  SELECT n.key, n.wrapped, w.step + 1, w.found + CASE WHEN n.ok THEN 1 ELSE 0 END, n.running, n.next_at, n.ok
  FROM walk w CROSS JOIN LATERAL (
    SELECT k.key, k.wrapped, f.running, f.next_at,
      (line.kc IS NULL OR f.running < line.kc) AND (f.next_at IS NULL OR f.next_at <= line.now) AS ok
    FROM (
      (SELECT t.key, w.wrapped FROM celeriac.turn t WHERE t.task = line.t AND t.queue = line.q AND t.key > w.key
        AND (NOT w.wrapped OR t.key <= line.start) ORDER BY t.task, t.queue, t.key LIMIT 1)
      UNION ALL
      (SELECT t.key, true FROM celeriac.turn t WHERE NOT w.wrapped AND t.task = line.t AND t.queue = line.q
        AND t.key <= line.start ORDER BY t.task, t.queue, t.key LIMIT 1)
      LIMIT 1) AS k
    CROSS JOIN LATERAL (SELECT
      CASE WHEN line.kc IS NULL THEN 0 ELSE (SELECT count(*)::int FROM (
        SELECT 1 FROM celeriac.permit p WHERE p.task = ANY(line.n) AND p.key = k.key LIMIT line.kc) AS c) END AS running,
      CASE WHEN line.kp THEN (SELECT s.next_at FROM celeriac.limit_state s WHERE s.name = 'key:' || line.n[1] || ' ' || k.key)
        END AS next_at OFFSET 0) AS f) AS n
  WHERE w.step < ${mostKeys} AND w.found < $4::int)
SELECT walk.* FROM walk WHERE walk.step > 0`

const lookSql = `
WITH line AS MATERIALIZED (
  SELECT l.*, coalesce((SELECT s.last_key FROM celeriac.limit_state s WHERE s.name = 'task:' || l.n[1]), '') AS start,
    statement_timestamp() AS now
  FROM json_to_recordset($1::json) AS l(i int, t text, q text, n text[], kc int, kp boolean)),
key AS MATERIALIZED (
  SELECT line.i, line.t, line.q, line.kc, k.*,
    $4::int / nullif(count(*) FILTER (WHERE k.ok) OVER (PARTITION BY line.i), 0)::int + 1 AS most
  FROM line CROSS JOIN LATERAL (${walkSql}) AS k)
SELECT ${ms('clock_timestamp()')} AS now,
  (SELECT json_agg(json_build_object('name', s.name, 'at', ${ms('s.next_at')}, 'step', s.step,
      'recent', s.recent::json))
    FROM celeriac.limit_state s WHERE s.name = ANY($5::text[])) AS states,
  (SELECT json_agg(json_build_object('name', a.n[1], 'running', (SELECT count(*) FROM (
      SELECT 1 FROM celeriac.permit p WHERE p.task = ANY(a.n) LIMIT a.c) AS c)))
    FROM json_to_recordset($2::json) AS a(n text[], c int)) AS tasks,
  (SELECT json_agg(json_build_object('name', a.q, 'running', (SELECT count(*) FROM (
      SELECT 1 FROM celeriac.permit p WHERE p.queue = a.q LIMIT a.c) AS c)))
    FROM json_to_recordset($3::json) AS a(q text, c int)) AS queues,
  (SELECT json_agg(json_build_object('line', w.i, 'steps', w.steps, 'last', w.last, 'at', ${ms('w.at')}))
    FROM (SELECT i, max(step) AS steps, (array_agg(key ORDER BY step DESC))[1] AS last,
      min(next_at) FILTER (WHERE NOT ok AND (kc IS NULL OR running < kc)) AS at FROM key GROUP BY i) AS w) AS walks,
  (SELECT json_agg(json_build_object('line', k.i, 'key', k.key, 'running', k.running, 'at', ${ms('k.next_at')},
      'most', k.most, 'jobs', (
      SELECT json_agg(json_build_array(j.job_id, j.priority, ${ms('j.since')}) ORDER BY j.priority, j.job_id) FROM (
        SELECT t.job_id, t.priority, t.since FROM celeriac.turn t WHERE t.task = k.t AND t.queue = k.q AND t.key = k.key
        ORDER BY t.task, t.queue, t.key, t.priority, t.job_id
        LIMIT k.most) AS j)) ORDER BY k.i, k.step)
    FROM key k WHERE k.ok) AS keys`

/** One statement: what waits in these lines, and how their limits stand. */
async function lookAt(pool: Pool, applicant: Applicant, found: readonly FoundLine[]): Promise<Look> {
  const tasks = new Map(found.map(({ task }) => [task.names[0], task]))
  const queues = new Map<string, Limit>()
  for (const { queue } of found) {
    const limit = applicant.limitOf(queue)
    if (limit) queues.set(queue, limit)
  }
  const [row] = await run<LookRow>(pool, {
    name: 'celeriac_look',
    text: lookSql,
    values: [
      JSON.stringify(found.map(toAskedLine)),
      JSON.stringify([...tasks.values()].flatMap(toCounted)),
      JSON.stringify([...queues].flatMap(([q, { concurrency: c }]) => (c === undefined ? [] : [{ q, c }]))),
      applicant.places,
      [...[...tasks.keys()].map(taskState), ...[...queues.keys()].map(queueState)],
    ],
  })
  if (!row) throw new Error('A look at the waiting jobs gave no answer.')
  return toLook(row, applicant, found, tasks, queues)
}

function toAskedLine({ stored, queue, task: { names, limits } }: FoundLine, i: number) {
  return { i, t: stored, q: queue, n: names, kc: limits.key.concurrency, kp: limits.key.pace !== undefined }
}

function toCounted({ names, limits }: AdmittedTask) {
  return limits.task.concurrency === undefined ? [] : [{ n: names, c: limits.task.concurrency }]
}

function toLook(
  row: LookRow,
  { places }: Applicant,
  found: readonly FoundLine[],
  tasks: ReadonlyMap<string, { readonly limits: TaskLimits }>,
  queues: ReadonlyMap<string, Limit>,
): Look {
  const states = new Map((row.states ?? []).map((state) => [state.name, state]))
  const runningTasks = new Map((row.tasks ?? []).map(({ name, running }) => [name, running]))
  const runningQueues = new Map((row.queues ?? []).map(({ name, running }) => [name, running]))
  const walks = new Map((row.walks ?? []).map((walk) => [walk.line, walk]))
  const cut = [...walks.values()].flatMap(({ line, steps, last }) => {
    const task = found[line]?.task.names[0]
    return steps === mostKeys && task !== undefined ? [[task, last] as const] : []
  })
  const lines = found.map(
    ({ queue, order, task }, at): Line => ({
      task: task.names[0],
      queue,
      order,
      nextAt: walks.get(at)?.at ?? null,
      keys: (row.keys ?? []).filter(({ line }) => line === at).map(toWaitingKey),
    }),
  )
  return {
    found,
    cut: new Map(cut),
    steps: new Map([...states.values()].map(({ name, step }) => [name, step])),
    scene: {
      now: row.now,
      places,
      lines,
      tasks: new Map(
        [...tasks].map(([name, { limits }]) => [
          name,
          { limits, running: runningTasks.get(name) ?? 0, ...toStarts(states.get(taskState(name))) },
        ]),
      ),
      queues: new Map(
        [...queues].map(([name, limit]) => [
          name,
          { limit, running: runningQueues.get(name) ?? 0, ...toStarts(states.get(queueState(name))) },
        ]),
      ),
    },
  }
}

function toStarts(state: { readonly at: number | null; readonly recent: Recent | null } | undefined) {
  return { nextAt: state?.at ?? null, recent: state?.recent ?? [] }
}

function toWaitingKey({ key, running, at, most, jobs }: KeyRow): WaitingKey {
  const waiting = (jobs ?? []).map(([jobId, priority, since]) => ({ jobId, priority, since }))
  return { key, running, nextAt: at, jobs: waiting, hasMore: waiting.length === most }
}

interface Taken {
  readonly jobs: readonly ClaimedJob[]
  readonly expired: readonly string[]
}

interface TakenRow extends Omit<ClaimedJob, 'options' | 'context'> {
  readonly same: boolean
  readonly state: string
  readonly options: string | null
  readonly context: string | null
}

/** Locks in the order of names, then of ids, as all statements do. Who finds another step does nothing. */
const takeSql = `
WITH asked AS MATERIALIZED (SELECT * FROM json_to_recordset($1::json) AS a(n text, v int, at float8, k text, r text)),
held AS MATERIALIZED (
  SELECT s.name, s.step FROM celeriac.limit_state s WHERE s.name = ANY($5::text[]) ORDER BY s.name FOR UPDATE),
same AS MATERIALIZED (
  SELECT (SELECT count(*) FROM held h JOIN asked a ON a.n = h.name AND a.v = h.step) = cardinality($5::text[]) AS yes),
moved AS (
  UPDATE celeriac.limit_state s SET step = s.step + 1, used_at = now(), last_key = coalesce(a.k, s.last_key),
    recent = a.r, next_at = to_timestamp(a.at / 1000)
  FROM asked a WHERE s.name = a.n AND (SELECT yes FROM same)),
paced AS (
  INSERT INTO celeriac.limit_state AS s (name, next_at)
  SELECT a.n, to_timestamp(a.at / 1000) FROM json_to_recordset($2::json) AS a(n text, at float8)
  WHERE (SELECT yes FROM same) ORDER BY a.n
  ON CONFLICT (name) DO UPDATE SET next_at = excluded.next_at, used_at = now()),
due AS (
  SELECT j.id, coalesce(j.expires_at <= now(), false) AS late FROM celeriac.job j
  WHERE (SELECT yes FROM same) AND j.id = ANY($3::uuid[]) AND j.state = 'queued' AND j.limit_key IS NOT NULL
  ORDER BY j.id FOR UPDATE),
taken AS (
  UPDATE celeriac.job j SET
    state = (CASE WHEN due.late THEN 'expired' ELSE 'running' END)::celeriac.job_state,
    finished_at = CASE WHEN due.late THEN now() END,
    dispatched_at = coalesce(j.dispatched_at, now()),
    worker_id = CASE WHEN due.late THEN j.worker_id ELSE $4::uuid END,
    attempt = CASE WHEN due.late THEN j.attempt ELSE j.attempt + 1 END,
    started_at = CASE WHEN due.late THEN j.started_at ELSE now() END
  FROM due WHERE j.id = due.id
  RETURNING j.state, ${claimed})
SELECT same.yes AS same, taken.* FROM same LEFT JOIN taken ON true`

/** `undefined`: somebody else was quicker. */
async function take(
  pool: Pool,
  workerId: string,
  look: Look,
  { starts, tasks, queues, keys }: Admission,
): Promise<Taken | undefined> {
  const { steps, scene, cut } = look
  const scopes = [...new Set([...tasks.keys(), ...(starts.length < scene.places ? cut.keys() : [])])].map(
    (name) => ({
      n: taskState(name),
      ...toState(tasks.get(name) ?? scene.tasks.get(name)),
      // A look that was cut short goes on from there.
      k:
        starts.length < scene.places ? (cut.get(name) ?? tasks.get(name)?.lastKey) : tasks.get(name)?.lastKey,
    }),
  )
  for (const [name, move] of queues) scopes.push({ n: queueState(name), ...toState(move), k: undefined })
  const missing = scopes.filter(({ n }) => !steps.has(n)).map(({ n }) => n)
  if (missing.length > 0) await makeStates(pool, missing)
  const ids = starts.map(({ jobId }) => jobId)
  const names = scopes.map(({ n }) => n)
  const statement = {
    name: 'celeriac_take',
    text: takeSql,
    values: [
      JSON.stringify(scopes.map((scope) => ({ ...scope, v: steps.get(scope.n) ?? 0 }))),
      JSON.stringify(keys.map(({ task, key, nextAt }) => ({ n: keyState(task, key), at: nextAt }))),
      ids,
      workerId,
      names,
    ],
  }
  try {
    return toTaken(await run<TakenRow>(pool, statement))
  } catch (error) {
    throw new UnsureAdmission(ids, names, { cause: error })
  }
}

/** As the row of `limit_state` has it. */
function toState(at: { readonly nextAt: number | null; readonly recent?: Recent } | undefined) {
  return { at: at?.nextAt ?? null, r: at?.recent?.length ? JSON.stringify(at.recent) : undefined }
}

function toTaken(rows: readonly TakenRow[]): Taken | undefined {
  if (!rows[0]?.same) return undefined
  const taken = rows.filter(({ id }) => id !== null)
  return {
    jobs: taken.filter(({ state }) => state === 'running').map(toClaimed),
    expired: taken.filter(({ state }) => state === 'expired').map(({ id }) => id),
  }
}

function toClaimed({ same: _, state: __, ...row }: TakenRow): ClaimedJob {
  return { ...row, options: toOptions(row.options), context: toContext(row.context) }
}

/** The statement failed, or its answer was lost: the jobs may be this worker's. */
class UnsureAdmission extends Error {
  readonly ids: readonly string[]
  readonly states: readonly string[]

  constructor(ids: readonly string[], states: readonly string[], options: ErrorOptions) {
    super('Whether jobs were admitted is not known.', options)
    this.ids = ids
    this.states = states
  }
}

/** Jobs that this worker has and does not know of would run nowhere, so it insists. */
async function recoverSurely(pool: Pool, unsure: UnsureAdmission, workerId: string): Promise<ClaimedJob[]> {
  for (;;) {
    try {
      return await recover(pool, unsure, workerId)
    } catch (error) {
      if (pool.ending) throw error
      await sleep(recoverPauseMs)
    }
  }
}

const recoverPauseMs = 500

/**
 * What has become of an admission whose answer was lost: the jobs that are this worker's. It raises the steps first, so
 * that a statement that is still on its way takes nothing any more.
 */
async function recover(
  pool: Pool,
  { ids, states }: UnsureAdmission,
  workerId: string,
): Promise<ClaimedJob[]> {
  await pool.query(
    `UPDATE celeriac.limit_state s SET step = s.step + 1
     FROM (SELECT name FROM celeriac.limit_state WHERE name = ANY($1::text[]) ORDER BY name FOR UPDATE) AS h
     WHERE s.name = h.name`,
    [states],
  )
  const { rows } = await pool.query<TakenRow>(
    `SELECT true AS same, j.state, ${claimed} FROM celeriac.job j
     WHERE j.id = ANY($1::uuid[]) AND j.state = 'running' AND j.worker_id = $2::uuid`,
    [ids, workerId],
  )
  return rows.map(toClaimed)
}

async function makeStates(pool: Pool, names: readonly string[]): Promise<void> {
  await pool.query(
    `INSERT INTO celeriac.limit_state (name) SELECT n FROM unnest($1::text[]) AS n ORDER BY n ON CONFLICT DO NOTHING`,
    [names],
  )
}

/** They go back as they came, under a new delivery: the old one has been answered. */
export async function limit(pool: Pool, claims: readonly LimitedClaim[], workerId: string): Promise<number> {
  const { rowCount } = await pool.query(
    `WITH held AS (
       SELECT j.id, d.key FROM celeriac.job j JOIN unnest($1::uuid[], $2::int[], $3::text[]) AS d(id, number, key)
         ON j.id = d.id AND j.delivery = d.number
       WHERE j.state = 'running' AND j.worker_id = $4::uuid ORDER BY j.id FOR UPDATE OF j)
     UPDATE celeriac.job j SET limit_key = held.key, worker_id = NULL, attempt = j.attempt - 1,
       delivery = j.delivery + 1, dispatched_at = coalesce(j.dispatched_at, now()),
       state = (CASE WHEN j.cancel_requested_at IS NULL THEN 'queued' ELSE 'cancelled' END)::celeriac.job_state,
       finished_at = CASE WHEN j.cancel_requested_at IS NOT NULL THEN now() END
     FROM held WHERE j.id = held.id`,
    [
      claims.map(({ jobId }) => jobId),
      claims.map(({ number }) => number),
      claims.map(({ limitKey }) => limitKey),
      workerId,
    ],
  )
  return rowCount ?? 0
}

/** A job with limits whose time has come waits for its turn from now on. `false`: it does already, or is gone. */
export async function takeTurn(pool: Pool, jobId: string, number: number): Promise<boolean> {
  const { rowCount } = await pool.query(
    `UPDATE celeriac.job SET state = 'queued', dispatched_at = coalesce(dispatched_at, now())
     WHERE id = $1 AND delivery = $2 AND limit_key IS NOT NULL AND state IN ('scheduled', 'retrying')
       AND run_at <= now() + interval '1 second'`,
    [jobId, number],
  )
  return rowCount === 1
}

export async function countLimited(pool: Pool): Promise<LimitedCount[]> {
  const { rows } = await pool.query<LimitedCount>(
    `SELECT task, queue, sum(waiting)::int AS waiting, sum(running)::int AS running FROM (
       SELECT task, queue, count(*) AS waiting, 0 AS running FROM celeriac.turn GROUP BY 1, 2
       UNION ALL SELECT task, queue, 0, count(*) FROM celeriac.permit GROUP BY 1, 2) AS c
     GROUP BY 1, 2 ORDER BY 1, 2`,
  )
  return rows
}

export const turnChannel = 'celeriac_turn'

/** Keys that nobody has used for long, by whom no start is held up. */
export async function pruneLimitStates(pool: Pool): Promise<void> {
  await pool.query(
    `DELETE FROM celeriac.limit_state WHERE used_at < now() - interval '1 day'
       AND (next_at IS NULL OR next_at < now()) AND starts_with(name, 'key:')`,
  )
}

function taskState(name: string): string {
  return `task:${name}`
}

function queueState(name: string): string {
  return `queue:${name}`
}

/** A task's name has no spaces. */
function keyState(task: string, key: string): string {
  return `key:${task} ${key}`
}

function toWait(at: number | null, now: number): number | null {
  return at === null ? null : Math.max(0, at - now)
}

function toPaced({ paced }: Admission, { scene, found }: Look): Admitted['paced'] {
  return paced.flatMap(({ line, nextAt }) => {
    const stored = found[scene.lines.indexOf(line)]?.stored
    return stored === undefined
      ? []
      : [{ task: stored, queue: line.queue, inMs: Math.max(0, nextAt - scene.now) }]
  })
}

async function run<Row>(pool: Pool, { name, text, values }: Statement): Promise<Row[]> {
  const { rows } = await pool.query({ name, text, values: [...values] })
  return rows
}
