import { useMemo } from 'react'
import { useSearch } from '../../api/use-search.js'
import { type JobsView, readView, usualSize } from './view.js'

type Changes = Partial<
  Pick<
    JobsView,
    | 'query'
    | 'ids'
    | 'states'
    | 'tasks'
    | 'queues'
    | 'workers'
    | 'owners'
    | 'tags'
    | 'parent'
    | 'minDuration'
    | 'maxDuration'
    | 'range'
    | 'sort'
    | 'size'
  >
>

const names: Readonly<Record<keyof Changes, string>> = {
  query: 'query',
  ids: 'id',
  states: 'state',
  tasks: 'task',
  queues: 'queue',
  workers: 'worker',
  owners: 'owner',
  tags: 'tag',
  parent: 'parent',
  minDuration: 'minDuration',
  maxDuration: 'maxDuration',
  range: 'range',
  sort: 'sort',
  size: 'size',
}

/**
 * What the page of jobs shows, as its address says, and a way to say something else: a step that can be gone back,
 * unless it is more of the step before.
 */
export function useJobsView() {
  const search = useSearch()
  return useMemo(() => {
    const change = (changes: Changes, isMore = false) => {
      const said = Object.entries(changes).map(([name, value]) => [
        names[name as keyof Changes],
        toText(name, value),
      ])
      search.set({ ...Object.fromEntries(said), cursor: undefined, selected: undefined }, { isStep: !isMore })
    }
    return { view: readView(search), change, search }
  }, [search])
}

/** What is usual stands in no address. */
function toText(name: string, value: string | number | readonly string[]): string | readonly string[] {
  if (typeof value === 'number') return value === usualSize ? '' : String(value)
  return name === 'sort' && value === 'newest' ? '' : value
}
