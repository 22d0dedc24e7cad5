import type { TaskErrors } from './contract.js'
import { groupErrors } from './error-groups.js'
import { rangeMs, usualRange } from './ranges.js'
import type { Reading } from './route.js'

/** Failures that are looked at. The search ends after two seconds, too. */
const most = 1000

/** `GET /tasks/:name/errors`: what went wrong lately, the most frequent first. */
export async function showErrors({
  deps,
  params,
  query,
}: Reading<'GET /tasks/:name/errors'>): Promise<TaskErrors> {
  const { range = usualRange } = query
  const finishedAfter = new Date(Date.now() - rangeMs[range])
  const found = await deps.search({ task: params.name, state: 'failed', finishedAfter }, { limit: most })
  return {
    groups: groupErrors(found.jobs),
    looked: found.jobs.length,
    isCut: found.cursor !== null,
    lookedTo: found.lookedTo ?? found.jobs.at(-1)?.finishedAt ?? null,
  }
}
