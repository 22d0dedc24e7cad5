import { useMemo } from 'react'
import type { useSearch } from '../../api/use-search.js'
import { Menu } from '../../ui/menu.js'
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
  const toggle = (id: string) => {
    const next = new Set(shown)
    if (!next.delete(id)) next.add(id)
    const usual = usualColumns(isByEnd)
    const isUsual = next.size === usual.length && usual.every((each) => next.has(each))
    search.set({ columns: isUsual ? '' : columns.flatMap(({ id }) => (next.has(id) ? [id] : [])).join(',') })
  }
  const choices = columns.filter(({ id }) => id !== 'task')
  return (
    <Menu
      label="Columns"
      items={choices.map(({ id, title }) => ({
        ...{ label: title, isChecked: shown.has(id) },
        onPick: () => toggle(id),
      }))}
    >
      Columns
    </Menu>
  )
}
