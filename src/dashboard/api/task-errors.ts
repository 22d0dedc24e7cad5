import type { TaskErrors } from './contract.js'
import { groupErrors } from './error-groups.js'
import { allNames } from './known-tasks.js'
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
  const from = new Date(Date.now() - rangeMs[range])
  const [{ store }, registry] = await Promise.all([deps.backend(), deps.tasks()])
  const { errors, cursor, lookedTo } = await store.searchErrors(
    { tasks: allNames(registry, params.name), states: ['failed'], finished: { from } },
    { limit: most, sort: 'newest' },
  )
  return {
    groups: groupErrors(errors),
    looked: errors.length,
    isCut: cursor !== null,
    lookedTo: lookedTo ?? errors.at(-1)?.finishedAt ?? null,
  }
}
