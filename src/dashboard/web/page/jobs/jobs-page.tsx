import { useMemo, useState } from 'react'
import { addressOf } from '../../api/address.js'
import { useApi } from '../../api/use-api.js'
import { Button } from '../../ui/button.js'
import { Card } from '../../ui/card.js'
import { Choice } from '../../ui/choice.js'
import { ProblemNote } from '../../ui/note.js'
import { Page } from '../../ui/page.js'
import { Pager } from '../../ui/pager.js'
import { Table } from '../../ui/table.js'
import { Waiting } from '../../ui/waiting.js'
import { ColumnChoice, useColumns } from './column-choice.js'
import { columns } from './columns.js'
import { FilterRow } from './filter-row.js'
import css from './jobs-page.module.css'
import { NoJobs } from './no-jobs.js'
import { SearchField } from './search-field.js'
import { StateChips } from './state-chips.js'
import { Total } from './total.js'
import { useHeld } from './use-held.js'
import { useReading } from './use-reading.js'
import { useJobsView } from './use-view.js'
import { toFilter } from './view.js'

/** Every job of the store, by whatever one knows of it. */
export default function JobsPage() {
  const { view, change, search } = useJobsView()
  const filter = useMemo(() => toFilter(view), [view])
  const { sort, size, cursor } = view
  const query = { ...filter, sort, limit: size, values: 'short' as const, cursor }
  const { data, problem, isLoading } = useApi('GET /jobs', { query })
  const reading = useReading()
  const [, setTurn] = useState(0)
  const key = addressOf('GET /jobs', { query })
  const held = useHeld(key, data?.jobs, isLoading, reading.isReading)
  const shown = useColumns(search)
  return (
    <Page title="Jobs">
      <div className={css.filters}>
        <SearchField query={view.query} onSearch={(text) => change({ query: text })} />
        <StateChips counts={data?.states} chosen={view.states} onChange={(states) => change({ states })} />
        <FilterRow view={view} change={change} />
      </div>
      <ProblemNote problem={problem} />
      <Card
        title={<Total view={view} filter={filter} exact={isLoading ? undefined : data?.total} />}
        aside={
          <>
            {held.fresh > 0 && (
              <Button
                size="small"
                onClick={() => {
                  held.accept()
                  setTurn((turn) => turn + 1)
                }}
              >
                Show {held.fresh} new
              </Button>
            )}
            <Choice
              label="Order"
              value={sort}
              options={[
                { value: 'newest', label: 'Newest' },
                { value: 'oldest', label: 'Oldest' },
              ]}
              onChange={(next) => change({ sort: next })}
            />
            <ColumnChoice shown={shown} search={search} />
          </>
        }
        isFlush
      >
        {data ? (
          <div aria-busy={isLoading} className={isLoading ? css.isLoading : undefined} {...reading.props}>
            <Table
              label="Jobs"
              rows={held.rows}
              columns={columns}
              shown={shown}
              idOf={({ id }) => id}
              isFaded={({ id }) => held.gone.has(id)}
              empty={<NoJobs view={view} page={data} />}
            />
          </div>
        ) : (
          !problem && <Waiting height={420} />
        )}
      </Card>
      {data && (
        <Pager
          sort={sort}
          cursor={cursor}
          next={data.cursor}
          hrefOf={(place) => search.hrefWith({ cursor: place, selected: undefined })}
        />
      )}
    </Page>
  )
}
