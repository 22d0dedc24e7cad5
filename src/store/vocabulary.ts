import type { Pool } from 'pg'
import type { QueryVocabulary } from '../job/query/complete.js'
import { hop } from './lists.js'
import { inTime } from './search.js'

/** Names of a kind, at most. */
export const mostNames = 200
/** The newest jobs, whose names are told. */
export const jobsLookedAt = 2000
/** The last failures of each queue, whose classes are told. */
export const failuresLookedAt = 50
/** Whoever waits for it is writing a query. Late, there is nothing to complete it with. */
const patienceMs = 500

/** Names for who writes a query: live workers' first, then those of others and of jobs, in the order of letters. */
export async function readVocabulary(pool: Pool): Promise<QueryVocabulary> {
  const read = await inTime(pool, patienceMs, (client) => client.query<VocabularyRow>(vocabularySql))
  const names = read === 'late' ? [] : read.rows
  const of = (kind: string) => inOrder(names.filter((each) => each.kind === kind))
  return {
    tasks: of('task'),
    queues: of('queue'),
    workers: of('worker'),
    tags: of('tag'),
    owners: of('owner'),
    errors: of('error').flatMap(toErrorName),
  }
}

export interface VocabularyRow {
  readonly kind: string
  readonly name: string
  readonly isLive: boolean
}

/** Each once. */
export function inOrder(names: readonly Omit<VocabularyRow, 'kind'>[]): string[] {
  const live = names.filter(({ isLive }) => isLive).map(({ name }) => name)
  const others = names.map(({ name }) => name).filter((name) => !live.includes(name))
  return [live, others].flatMap((list) => [...new Set(list)].sort()).slice(0, mostNames)
}

/** It stands in JSON as JSON has it. */
function toErrorName(json: string): string[] {
  try {
    const name: unknown = JSON.parse(`"${json}"`)
    return typeof name === 'string' ? [name] : []
  } catch {
    return []
  }
}

const isUnsuccessful = `j.finished_at IS NOT NULL
  AND (j.error IS NOT NULL OR j.cancel_requested_at IS NOT NULL OR j.expires_at <= j.finished_at)`

/** Along indexes only: from name to name, or the newest of them. */
export const vocabularySql = `
WITH RECURSIVE ${hop('open', 'j.finished_at IS NULL')}, ${hop('ended', isUnsuccessful)},
task AS (
  (SELECT j.task FROM celeriac.job j WHERE j.finished_at IS NOT NULL ORDER BY j.task LIMIT 1)
  UNION ALL
  SELECT (SELECT j.task FROM celeriac.job j WHERE j.finished_at IS NOT NULL AND j.task > task.task ORDER BY j.task LIMIT 1)
  FROM task WHERE task.task IS NOT NULL),
newest AS MATERIALIZED (
  SELECT j.task, j.queue, j.owner, j.tags FROM celeriac.job j ORDER BY j.id DESC LIMIT ${jobsLookedAt}),
worker AS (SELECT name, queues, tasks, stopped_at IS NULL AND lost_at IS NULL AS is_live FROM celeriac.worker
  WHERE seen_at > now() - interval '7 days' ORDER BY seen_at DESC LIMIT 1000),
failing AS (SELECT queue FROM ended WHERE queue IS NOT NULL LIMIT ${mostNames}),
failure AS (SELECT substring(near.error FROM '^\\{"name":"((?:[^"\\\\]|\\\\.)*)"') AS name
  FROM failing, LATERAL (
    SELECT j.error FROM celeriac.job j WHERE j.queue BETWEEN failing.queue AND failing.queue AND ${isUnsuccessful}
    ORDER BY j.queue DESC, j.finished_at DESC, j.id DESC LIMIT ${failuresLookedAt}) AS near)
SELECT 'worker' AS kind, name, is_live AS "isLive" FROM worker
UNION SELECT 'task', unnest(tasks), is_live FROM worker
UNION SELECT 'queue', unnest(queues), is_live FROM worker
UNION SELECT 'task', task, false FROM newest
UNION SELECT 'task', task, false FROM (SELECT task FROM task WHERE task IS NOT NULL LIMIT ${mostNames}) AS t
UNION SELECT 'queue', queue, false FROM newest
UNION SELECT 'queue', queue, false FROM (SELECT queue FROM open WHERE queue IS NOT NULL LIMIT ${mostNames}) AS q
UNION SELECT 'queue', queue, false FROM failing
UNION SELECT 'owner', owner, false FROM newest WHERE owner IS NOT NULL
UNION SELECT 'tag', unnest(tags), false FROM newest
UNION SELECT 'error', name, false FROM failure WHERE name IS NOT NULL`
