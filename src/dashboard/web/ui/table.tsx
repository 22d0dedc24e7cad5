import {
  type ColumnDef,
  columnVisibilityFeature,
  createSortedRowModel,
  type RowData,
  rowSelectionFeature,
  rowSortingFeature,
  sortFn_alphanumeric,
  sortFn_basic,
  tableFeatures,
  useTable,
} from '@tanstack/react-table'
import { type ReactNode, useMemo, useRef } from 'react'
import { Checkbox } from './checkbox.js'
import { toggledRange } from './selection.js'
import css from './table.module.css'
import { usePlaces } from './use-places.js'

const features = tableFeatures({
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
  sortFns: { alphanumeric: sortFn_alphanumeric, basic: sortFn_basic },
  rowSelectionFeature,
  columnVisibilityFeature,
})

export interface Column<Row extends RowData> {
  readonly id: string
  /** A word or two; read aloud as well. */
  readonly title: string
  readonly cell: (row: Row) => ReactNode
  /** What it is sorted by, where the whole list is here. */
  readonly value?: (row: Row) => string | number
  readonly isNumber?: boolean
  /** On a phone: `title` heads the row's card, `hidden` is left out. Default: a line of the card. */
  readonly narrow?: 'title' | 'hidden'
  /** May take what room is left, and is cut at its end. */
  readonly isWide?: boolean
  /** Of a name: takes what room is left, and is cut, but never to less than a short name needs. */
  readonly isRest?: boolean
  /** Stays in sight where the table is wider than the page. */
  readonly isFixed?: boolean
}

export interface Sort {
  readonly id: string
  readonly isDescending: boolean
}

interface TableProps<Row extends RowData> {
  /** What the table is of; read aloud, not seen. */
  readonly label: string
  readonly rows: readonly Row[]
  readonly columns: readonly Column<Row>[]
  readonly idOf: (row: Row) => string
  /** Which columns are shown, in the order of `columns`. Default: all. */
  readonly shown?: ReadonlySet<string>
  readonly sort?: Sort
  onSort?(sort: Sort): void
  readonly selected?: ReadonlySet<string>
  onSelect?(ids: ReadonlySet<string>): void
  /** Of a row that no longer belongs here, and stays until the list is shown anew. */
  isFaded?(row: Row): boolean
  /** Of what the list is, where its rows are to keep their places while one points at them. */
  readonly list?: string
  /** Instead of rows, when there are none. */
  readonly empty: ReactNode
}

const numbersFirst = { basic: 'basic', alphanumeric: 'alphanumeric' } as const

/** A list. On a phone each row is a card of its own, so that nothing is scrolled sideways. */
export function Table<Row extends RowData>(props: TableProps<Row>) {
  const { label, rows, columns, idOf, shown, sort, onSort, selected, onSelect, isFaded, empty } = props
  const list = props.list === undefined ? undefined : `${props.list} ${sort?.id} ${sort?.isDescending}`
  const places = usePlaces(rows, idOf, list)
  const definitions = useMemo(
    () =>
      columns.map(
        (column): ColumnDef<typeof features, Row> => ({
          id: column.id,
          header: column.title,
          accessorFn: (row) => column.value?.(row) ?? '',
          enableSorting: column.value !== undefined,
          sortFn: column.isNumber ? numbersFirst.basic : numbersFirst.alphanumeric,
          sortDescFirst: column.isNumber ?? false,
        }),
      ),
    [columns],
  )
  const byId = useMemo(() => new Map(columns.map((column) => [column.id, column])), [columns])
  const table = useTable({
    features,
    columns: definitions,
    data: places.rows as Row[],
    getRowId: idOf,
    state: {
      sorting: sort ? [{ id: sort.id, desc: sort.isDescending }] : [],
      rowSelection: Object.fromEntries([...(selected ?? [])].map((id) => [id, true as const])),
      columnVisibility: Object.fromEntries(columns.map(({ id }) => [id, shown?.has(id) ?? true])),
    },
    onSortingChange(change) {
      const [next] = typeof change === 'function' ? change(table.store.state.sorting) : change
      if (next) onSort?.({ id: next.id, isDescending: next.desc })
    },
    onRowSelectionChange(change) {
      const next = typeof change === 'function' ? change(table.store.state.rowSelection) : change
      onSelect?.(new Set(Object.keys(next).filter((id) => next[id])))
    },
    enableSortingRemoval: false,
  })
  const placed = places.place(table.getRowModel().rows)
  const lastTicked = useRef<string>(undefined)
  const withRange = (id: string, isChecked: boolean) =>
    toggledRange(
      placed.map((row) => row.id),
      selected ?? new Set(),
      { from: lastTicked.current, to: id, isChecked },
    )
  if (placed.length === 0) return empty
  const isSelectable = onSelect !== undefined
  return (
    <div ref={places.ref} className={css.frame}>
      <table className={css.table}>
        <caption className="hidden-but-read">{label}</caption>
        <thead>
          {table.getHeaderGroups().map((group) => (
            <tr key={group.id}>
              {isSelectable && (
                <th scope="col" className={css.check}>
                  <Checkbox
                    label="Select all on this page"
                    isChecked={table.getIsAllRowsSelected()}
                    isPartly={table.getIsSomeRowsSelected()}
                    onChange={(isChecked) => table.toggleAllRowsSelected(isChecked)}
                  />
                </th>
              )}
              {group.headers.map((header) => (
                <Head
                  key={header.id}
                  column={byId.get(header.column.id)}
                  sorted={header.column.getCanSort() && onSort ? header.column.getIsSorted() : undefined}
                  onSort={() => header.column.toggleSorting()}
                />
              ))}
            </tr>
          ))}
        </thead>
        <tbody>
          {placed.map((row) => (
            <tr
              key={row.id}
              aria-selected={isSelectable ? row.getIsSelected() : undefined}
              className={places.isGone(row.original) || isFaded?.(row.original) ? css.faded : undefined}
            >
              {isSelectable && (
                <td className={css.check}>
                  <Checkbox
                    label={`Select ${row.id}`}
                    isChecked={row.getIsSelected()}
                    onChange={(isChecked, isRange) => {
                      if (isRange && onSelect) onSelect(withRange(row.id, isChecked))
                      else row.toggleSelected(isChecked)
                      lastTicked.current = row.id
                    }}
                  />
                </td>
              )}
              {row.getVisibleCells().map((cell) => (
                <Cell key={cell.id} column={byId.get(cell.column.id)} row={row.original} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

interface HeadProps<Row extends RowData> {
  readonly column: Column<Row> | undefined
  /** `undefined`: it is not sorted by. */
  readonly sorted: false | 'asc' | 'desc' | undefined
  onSort(): void
}

function Head<Row extends RowData>({ column, sorted, onSort }: HeadProps<Row>) {
  if (!column) return null
  const order = sorted === 'asc' ? 'ascending' : sorted === 'desc' ? 'descending' : 'none'
  return (
    <th scope="col" className={classOf(column)} {...(sorted === undefined ? {} : { 'aria-sort': order })}>
      {sorted === undefined ? (
        column.title
      ) : (
        <button type="button" className={css.sort} onClick={onSort}>
          {column.title}
          <span aria-hidden="true">{sorted === 'asc' ? ' ↑' : sorted === 'desc' ? ' ↓' : ''}</span>
        </button>
      )}
    </th>
  )
}

function Cell<Row extends RowData>({
  column,
  row,
}: {
  readonly column: Column<Row> | undefined
  readonly row: Row
}) {
  if (!column) return null
  return (
    <td className={classOf(column)} data-title={column.narrow === 'title' ? undefined : column.title}>
      <div className={css.value}>{column.cell(row)}</div>
    </td>
  )
}

function classOf<Row extends RowData>({ isNumber, isWide, isRest, isFixed, narrow }: Column<Row>): string {
  return [
    isNumber && css.number,
    isWide && css.wide,
    isRest && css.rest,
    isFixed && css.fixed,
    narrow === 'hidden' && css.notNarrow,
    narrow === 'title' && css.heads,
  ]
    .filter(Boolean)
    .join(' ')
}
