import { useMemo } from 'react'
import { useApi } from '../../api/use-api.js'
import { useRange, useSearch } from '../../api/use-search.js'
import { Card } from '../../ui/card.js'
import { Empty } from '../../ui/empty.js'
import { ChoiceFilter, Filters } from '../../ui/filters.js'
import { ProblemNote } from '../../ui/note.js'
import { Page } from '../../ui/page.js'
import { RangeChoice } from '../../ui/range-choice.js'
import { Table } from '../../ui/table.js'
import { TextFilter } from '../../ui/text-filter.js'
import { useSort } from '../../ui/use-sort.js'
import { Waiting } from '../../ui/waiting.js'
import { queueColumns } from './queue-columns.js'
import { needsSomebody } from './standing.js'
import { UnservedNotes } from './unserved-notes.js'

/** Every queue: what waits in it, since when, and who serves it. */
export default function QueuesPage() {
  const [range] = useRange()
  const search = useSearch()
  const [sort, setSort] = useSort({ id: 'waiting', isDescending: true })
  const { data, problem } = useApi('GET /queues', { query: { range } })
  // Of the range before, until the numbers of this one are there.
  const counted = data?.range ?? range
  const columns = useMemo(() => queueColumns(counted), [counted])
  const name = search.get('name')
  const isOnlyNeedy = search.get('needs') === 'somebody'
  const fitting = data?.queues.filter(
    (queue) =>
      queue.name.toLowerCase().includes(name.toLowerCase()) && (!isOnlyNeedy || needsSomebody(queue)),
  )
  const used = (name === '' ? 0 : 1) + (isOnlyNeedy ? 1 : 0)
  return (
    <Page title="Queues" aside={<RangeChoice />}>
      <UnservedNotes />
      <ProblemNote problem={problem} />
      {((data?.total ?? 0) > fewest || used > 0) && (
        <Filters used={used} onClear={() => search.set({ name: '', needs: '' })}>
          <TextFilter
            label="Name"
            value={name}
            names={data?.queues.map((queue) => queue.name)}
            onChange={(next) => search.set({ name: next })}
          />
          <ChoiceFilter
            label="Which"
            value={isOnlyNeedy ? 'somebody' : ''}
            options={choices}
            isUsed={isOnlyNeedy}
            onChange={(next) => search.set({ needs: next })}
          />
        </Filters>
      )}
      <Card isFlush>
        {fitting ? (
          <Table
            label="Queues"
            rows={fitting}
            columns={columns}
            idOf={(queue) => queue.name}
            list={`${range} ${name} ${isOnlyNeedy}`}
            sort={sort}
            onSort={setSort}
            empty={<NoQueues name={name} isOnlyNeedy={isOnlyNeedy} />}
          />
        ) : (
          !problem && <Waiting height={300} />
        )}
      </Card>
    </Page>
  )
}

/** So many are seen at a glance. */
const fewest = 8

const choices = [
  { value: '', label: 'All queues' },
  { value: 'somebody', label: 'Those that need somebody' },
] as const

interface NoQueuesProps {
  readonly name: string
  readonly isOnlyNeedy: boolean
}

function NoQueues({ name, isOnlyNeedy }: NoQueuesProps) {
  if (isOnlyNeedy)
    return (
      <Empty
        title={name === '' ? 'No queue needs somebody.' : 'No queue with this in its name needs somebody.'}
      >
        In none of them jobs wait that nobody serves, or that a pause holds.
      </Empty>
    )
  if (name !== '') return <Empty title="No queue has this in its name." />
  return (
    <Empty title="There is no queue yet.">
      A queue is there as soon as a job waits in it or a worker serves it. A task names its own, else it is
      <code> default</code>:<pre>npx celeriac worker -Q default,mail</pre>
    </Empty>
  )
}
