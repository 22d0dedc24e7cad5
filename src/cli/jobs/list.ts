import { readEnvironment } from '../../config/env.js'
import { toStoredFilter, toStoredPage } from '../../control/filter.js'
import { ConfigError } from '../../errors.js'
import type { FoundJobs, SearchPage } from '../../job/filter.js'
import { note, print, table, wholeNumber } from '../kit.js'
import { withStore } from '../open.js'
import { fitted, toColumns, toRow } from './columns.js'
import { toShown } from './shown.js'
import { type FilterFlags, isSaid, noteSince, toFilter } from './which.js'

export interface ListFlags extends FilterFlags {
  readonly limit?: string
  readonly cursor?: string
  readonly sort?: string
  readonly columns?: readonly string[]
}

export async function listJobs(flags: ListFlags): Promise<void> {
  const filter = toStoredFilter(toFilter(flags))
  const page = toStoredPage(toPage(flags))
  const names = toColumns(flags.columns)
  await withStore(flags, async (store, { values }) => {
    const found = await store.searchJobs(filter, page)
    if (flags.json) {
      for (const job of found.jobs) print(toShown(job, values))
    } else if (found.jobs.length > 0) {
      const ids = names.includes('worker') ? found.jobs.flatMap(({ workerId }) => workerId ?? []) : []
      const { isTerminal } = readEnvironment()
      const around = {
        isTerminal,
        now: new Date(),
        toShownJson: values.toShownJson,
        workers: await store.workerNames(ids),
      }
      const rows = [[...names], ...found.jobs.map((job) => toRow(job, names, around))]
      print(table(fitted(rows, isTerminal ? process.stdout.columns : undefined)))
    }
    tellRest(found, flags)
  })
}

function toPage({ limit, cursor, sort }: ListFlags): SearchPage {
  if (sort !== undefined && sort !== 'newest' && sort !== 'oldest')
    throw new ConfigError(`--sort is newest or oldest, not "${sort}".`)
  return {
    ...(limit === undefined ? {} : { limit: wholeNumber(limit, '--limit') }),
    ...(cursor === undefined ? {} : { cursor }),
    ...(sort === undefined ? {} : { sort }),
  }
}

/** Where there is nothing, or more, it says what to do. */
function tellRest({ jobs, cursor, isCut, lookedTo, since }: FoundJobs, flags: ListFlags): void {
  noteSince(since)
  if (isCut) {
    const reach = lookedTo ? ` It has looked as far as ${lookedTo.toISOString()}.` : ''
    const next = cursor === null ? 'Name' : `Go on with --cursor ${cursor}, or name`
    note(`The search was cut after 2 s.${reach} ${next} less: --since 1h, --state, --queue.`)
  } else if (cursor !== null) note(`There are more: --cursor ${cursor}`)
  else if (jobs.length === 0)
    note(
      isSaid(flags)
        ? 'No job matches. Leave a flag out to find more; finished jobs go after a while (see "retain").'
        : `There are no jobs. Enqueue one: celeriac call <task> --payload '{"…":"…"}'`,
    )
}
