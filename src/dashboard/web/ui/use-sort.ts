import { useMemo } from 'react'
import { useSearch } from '../api/use-search.js'
import type { Sort } from './table.js'

/** What a table is sorted by. It stands in the address: `sort=name`, or `sort=-name` from the highest down. */
export function useSort(unsaid: Sort): readonly [Sort, (sort: Sort) => void] {
  const search = useSearch()
  const said = search.get('sort')
  const { id, isDescending } = unsaid
  return useMemo(
    () => [toSort(said) ?? { id, isDescending }, (next) => search.set({ sort: toText(next) })],
    [said, id, isDescending, search],
  )
}

function toSort(text: string): Sort | undefined {
  if (text === '') return undefined
  return text.startsWith('-') ? { id: text.slice(1), isDescending: true } : { id: text, isDescending: false }
}

function toText({ id, isDescending }: Sort): string {
  return isDescending ? `-${id}` : id
}
