import { closeSync, openSync, readSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'
import pg from 'pg'
import type { Effect, JobRow, PastAttempt, WorkerRow } from './history.js'

const chunkBytes = 1 << 20

/**
 * The events of a JSON Lines file, in order, without holding the file. The last line may be torn, when its writer was
 * killed; a torn line before that is an error, for then the log itself was damaged.
 */
export function* readEvents<Event>(file: string): Generator<Event> {
  let torn: { readonly line: string; readonly number: number } | undefined
  let number = 0
  for (const line of readLines(file)) {
    number += 1
    if (line === '') continue
    if (torn) throw new Error(`${file}:${torn.number} is not JSON: ${torn.line.slice(0, 80)}`)
    const event = parse<Event>(line)
    if (event === undefined) torn = { line, number }
    else yield event
  }
}

function* readLines(file: string): Generator<string> {
  const handle = openSync(file, 'r')
  try {
    const chunk = Buffer.allocUnsafe(chunkBytes)
    const decoder = new StringDecoder('utf8')
    let rest = ''
    for (let size = readSync(handle, chunk); size > 0; size = readSync(handle, chunk)) {
      const lines = (rest + decoder.write(chunk.subarray(0, size))).split('\n')
      rest = lines.pop() ?? ''
      yield* lines
    }
    yield rest + decoder.end()
  } finally {
    closeSync(handle)
  }
}

function parse<Event>(line: string): Event | undefined {
  try {
    return JSON.parse(line) as Event
  } catch {
    return undefined
  }
}

/** The rows of `celeriac.job`. A few hundred thousand fit in memory: payloads and large results are left behind. */
export async function readJobs(databaseUrl: string): Promise<JobRow[]> {
  const rows = await query<JobRow & { readonly attempts: string }>(databaseUrl, jobsSql)
  return rows.map((row) => ({ ...row, attempts: parse<PastAttempt[]>(row.attempts) ?? [] }))
}

export function readWorkers(databaseUrl: string): Promise<WorkerRow[]> {
  return query<WorkerRow>(databaseUrl, 'SELECT id, pid FROM celeriac.worker')
}

/** From a table with the columns `at` (timestamptz), `kind`, `id`, `attempt`, `pid`, `key` and `ok`. */
export function readEffects(databaseUrl: string, table = 'effect'): Promise<Effect[]> {
  return query<Effect>(databaseUrl, effectsSql(table))
}

const longestSignature = 200

// The key is taken by a pattern: a payload may hold what PostgreSQL's json refuses to look into.
const jobsSql = `
SELECT id, coalesce(substring(left(payload, 4000) from '"key":"([^"\\\\]*)"'), idempotency_key) AS key, task,
  state::text, attempt, failures, lost, worker_id AS worker,
  CASE WHEN length(result) <= ${longestSignature} THEN result END AS result,
  substring(left(error, 4000) from '"name" ?: ?"([^"\\\\]*)"') AS "errorName",
  ${milliseconds('created_at')} AS "createdAt", ${milliseconds('run_at')} AS "runAt",
  ${milliseconds('started_at')} AS "startedAt", ${milliseconds('finished_at')} AS "finishedAt", delivery, attempts
FROM celeriac.job`

function effectsSql(table: string): string {
  return `SELECT ${milliseconds('at')} AS at, kind, id, attempt, pid, key, ok FROM ${table} ORDER BY at`
}

function milliseconds(column: string): string {
  return `(extract(epoch FROM ${column}) * 1000)::float8`
}

async function query<Row extends object>(connectionString: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString })
  await client.connect()
  try {
    return (await client.query<Row>(text)).rows
  } finally {
    await client.end()
  }
}
