import type { TableSize } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { useSearch } from '../../api/use-search.js'
import { Button } from '../../ui/button.js'
import { Card } from '../../ui/card.js'
import { Empty } from '../../ui/empty.js'
import { tellBytes, tellCount, tellPart } from '../../ui/format.js'
import { Meter } from '../../ui/meter.js'
import { type Column, Table } from '../../ui/table.js'
import { Time } from '../../ui/time.js'
import { useSort } from '../../ui/use-sort.js'
import css from './system.module.css'

type Size = Json<TableSize>

/** The others are small, as a rule. */
const most = 8

/** What the tables take up, and their indexes. */
export function Sizes({ tables }: { readonly tables: readonly Size[] }) {
  const [sort, setSort] = useSort({ id: 'bytes', isDescending: true })
  const search = useSearch()
  const areAllShown = search.get('tables') === 'all'
  const all = tables.reduce((sum, table) => sum + wholeOf(table), 0)
  const bySize = [...tables].sort((a, b) => wholeOf(b) - wholeOf(a))
  const [largest] = bySize
  return (
    <Card
      isFlush
      title="Tables"
      aside={tables.length > 0 && <span className={css.count}>{tellBytes(all)} in all</span>}
      note="Rows by the statistics of the server: nobody counts them."
    >
      <Table
        label="Tables"
        rows={areAllShown ? bySize : bySize.slice(0, most)}
        columns={columnsFor(largest ? wholeOf(largest) : 1)}
        idOf={({ name }) => name}
        sort={sort}
        onSort={setSort}
        empty={
          <Empty title="The sizes could not be read.">
            The store is away, or a table is being changed. This page looks again by itself.
          </Empty>
        }
      />
      {tables.length > most && (
        <div className={css.more}>
          <Button
            size="small"
            aria-expanded={areAllShown}
            onClick={() => search.set({ tables: areAllShown ? undefined : 'all' })}
          >
            {areAllShown ? `Only the largest ${most}` : `All ${tellCount(tables.length)} tables`}
          </Button>
        </div>
      )}
    </Card>
  )
}

function wholeOf({ bytes, indexBytes }: Size): number {
  return bytes + indexBytes
}

function columnsFor(largest: number): readonly Column<Size>[] {
  return [
    {
      id: 'name',
      title: 'Table',
      narrow: 'title',
      value: ({ name }) => name,
      cell: ({ name }) => <code>{name}</code>,
    },
    {
      id: 'bytes',
      title: 'Size with indexes',
      isNumber: true,
      value: wholeOf,
      cell: (table) => <Meter part={wholeOf(table) / largest}>{tellBytes(wholeOf(table))}</Meter>,
    },
    {
      id: 'rows',
      title: 'Rows',
      isNumber: true,
      value: ({ rows }) => rows,
      cell: ({ rows }) => tellCount(rows),
    },
    {
      id: 'dead',
      title: 'Dead rows',
      isNumber: true,
      value: ({ deadRows }) => deadRows,
      cell: ({ rows, deadRows }) => (
        <span title={`${tellPart(deadRows / Math.max(1, rows + deadRows))}: a vacuum is to remove them`}>
          {tellCount(deadRows)}
        </span>
      ),
    },
    {
      id: 'vacuumed',
      title: 'Vacuumed',
      value: ({ vacuumedAt }) => (vacuumedAt === null ? 0 : new Date(vacuumedAt).getTime()),
      cell: ({ vacuumedAt }) => (vacuumedAt === null ? 'never' : <Time at={vacuumedAt} />),
    },
    {
      id: 'table',
      title: 'Itself',
      isNumber: true,
      narrow: 'hidden',
      value: ({ bytes }) => bytes,
      cell: ({ bytes }) => tellBytes(bytes),
    },
    {
      id: 'indexes',
      title: 'Indexes',
      isNumber: true,
      value: ({ indexBytes }) => indexBytes,
      cell: ({ indexBytes, indexes }) => <Indexes bytes={indexBytes} indexes={indexes} />,
    },
  ]
}

/** One by one where somebody asks. */
function Indexes({ bytes, indexes }: { readonly bytes: number; readonly indexes: Size['indexes'] }) {
  if (indexes.length === 0) return tellBytes(bytes)
  return (
    <details className={css.indexes}>
      <summary>
        {tellBytes(bytes)} <small>in {tellCount(indexes.length)}</small>
      </summary>
      <ul>
        {indexes.map(({ name, bytes: each }) => (
          <li key={name}>
            <code>{name}</code> {tellBytes(each)}
          </li>
        ))}
      </ul>
    </details>
  )
}
