import { useMemo } from 'react'
import type { useSearch } from '../../api/use-search.js'
import { CheckMenu } from '../../ui/check-menu.js'
import { columns, usualColumns } from './columns.js'

type Search = ReturnType<typeof useSearch>

/** Which columns are shown, as the address says. */
export function useColumns(search: Search, isByEnd: boolean): ReadonlySet<string> {
  const said = search.get('columns')
  return useMemo(() => {
    const known = said.split(',').filter((id) => columns.some((column) => column.id === id))
    return new Set(known.length === 0 ? usualColumns(isByEnd) : known)
  }, [said, isByEnd])
}

interface ColumnChoiceProps {
  readonly shown: ReadonlySet<string>
  readonly search: Search
  /** Of a list of ended jobs. */
  readonly isByEnd: boolean
}

export function ColumnChoice({ shown, search, isByEnd }: ColumnChoiceProps) {
  const change = (next: ReadonlySet<string>) => {
    const usual = usualColumns(isByEnd)
    const isUsual = next.size === usual.length && usual.every((id) => next.has(id))
    search.set({ columns: isUsual ? '' : columns.flatMap(({ id }) => (next.has(id) ? [id] : [])).join(',') })
  }
  return (
    <CheckMenu
      label="Columns"
      items={columns.filter(({ id }) => id !== 'task').map(({ id, title }) => ({ id, label: title }))}
      checked={shown}
      onChange={(next) => change(new Set([...next, 'task']))}
    >
      Columns
    </CheckMenu>
  )
}
