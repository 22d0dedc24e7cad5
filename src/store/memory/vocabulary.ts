import type { QueryVocabulary } from '../../job/query/complete.js'
import { failuresLookedAt, inOrder, jobsLookedAt } from '../vocabulary.js'
import type { Row } from './row.js'
import type { Table } from './table.js'

/** As the statement reads it. */
export function readVocabulary(table: Table): QueryVocabulary {
  const rows = [...table.rows.values()]
  const newest = rows.slice(-jobsLookedAt)
  const workers = [...table.workers.values()].map((worker) => ({
    ...worker,
    isLive: worker.stoppedAt === undefined,
  }))
  const named = (names: readonly string[]) => names.map((name) => ({ name, isLive: false }))
  return {
    tasks: inOrder([
      ...workers.flatMap(({ tasks, isLive }) => tasks.map((name) => ({ name, isLive }))),
      ...named(rows.map(({ task }) => task)),
    ]),
    queues: inOrder([
      ...workers.flatMap(({ queues, isLive }) => queues.map((name) => ({ name, isLive }))),
      ...named(rows.map(({ queue }) => queue)),
    ]),
    workers: inOrder(workers),
    tags: inOrder(named(newest.flatMap(({ tags }) => tags))),
    owners: inOrder(named(newest.flatMap(({ owner }) => owner ?? []))),
    errors: inOrder(named(lastErrors(rows))),
  }
}

function lastErrors(rows: readonly Row[]): readonly string[] {
  return rows
    .filter(({ error, finishedAt }) => error !== null && finishedAt !== null)
    .slice(-failuresLookedAt)
    .map(({ error }) => JSON.parse(error ?? '{}').name)
}
