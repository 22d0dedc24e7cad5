import { useState } from 'react'
import { useApi, useMe } from '../../api/use-api.js'
import { useSearch } from '../../api/use-search.js'
import { Button } from '../../ui/button.js'
import { Card } from '../../ui/card.js'
import { Choice } from '../../ui/choice.js'
import { tellCount } from '../../ui/format.js'
import { ProblemNote } from '../../ui/note.js'
import { Page } from '../../ui/page.js'
import { Table } from '../../ui/table.js'
import { useSort } from '../../ui/use-sort.js'
import { Waiting } from '../../ui/waiting.js'
import { groupOf, workerGroups } from './condition.js'
import { NoWorkers } from './no-workers.js'
import { orderVerbs } from './order.js'
import { type Asked, OrderDialog } from './order-dialog.js'
import { OrderMenu } from './order-menu.js'
import { targetsOf } from './targets.js'
import { type WorkerRow, workerColumns } from './worker-columns.js'
import css from './workers.module.css'

type Shown = (typeof shownGroups)[number]
const shownGroups = [...workerGroups, 'all'] as const

export default function WorkersPage() {
  const { data, problem } = useApi('GET /workers', {})
  const search = useSearch()
  const shown = shownGroups.find((each) => each === search.get('state')) ?? 'live'
  return (
    <Page title="Workers" aside={data && <Groups workers={data.workers} shown={shown} />}>
      <ProblemNote problem={problem} />
      {data ? <List workers={data.workers} shown={shown} /> : !problem && <Waiting height={420} />}
    </Page>
  )
}

function isShown({ state }: WorkerRow, shown: Shown): boolean {
  return shown === 'all' || groupOf(state) === shown
}

function Groups({ workers, shown }: ListProps) {
  const search = useSearch()
  return (
    <Choice
      label="Which workers"
      value={shown}
      options={shownGroups.map((group) => ({
        value: group,
        label: `${group} ${tellCount(workers.filter((worker) => isShown(worker, group)).length)}`,
      }))}
      onChange={(group) => search.set({ state: group === 'live' ? undefined : group, selected: undefined })}
    />
  )
}

interface ListProps {
  readonly workers: readonly WorkerRow[]
  readonly shown: Shown
}

function List({ workers, shown }: ListProps) {
  const [sort, setSort] = useSort({ id: 'state', isDescending: false })
  const search = useSearch()
  const selected = new Set(search.get('selected').split(',').filter(Boolean))
  const select = (ids: ReadonlySet<string>) => search.set({ selected: [...ids].join(',') })
  const [asked, setAsked] = useState<Asked>()
  const maySteer = useMe()?.actions.some((action) => action.startsWith('worker.')) ?? false
  const rows = workers.filter((worker) => isShown(worker, shown))
  const live = rows.filter(({ state }) => groupOf(state) === 'live')
  const isChoosing = selected.size > 0
  const targets = targetsOf(live, selected)
  const words = isChoosing ? `Act on ${tellCount(targets.length)} selected` : 'Act on all'
  const isSteered = maySteer && live.length > 0
  return (
    <>
      <Card
        isFlush
        title={<Count count={rows.length} selected={isSteered && isChoosing ? targets.length : undefined} />}
        aside={
          isSteered &&
          (targets.length === 0 ? (
            <Button size="small" onClick={() => select(new Set())}>
              Clear the selection
            </Button>
          ) : (
            <OrderMenu
              label={`${words} workers`}
              verbs={orderVerbs}
              onPick={(verb) => setAsked({ verb, workers: targets })}
            >
              {words}
            </OrderMenu>
          ))
        }
      >
        <Table
          label="Workers"
          rows={rows}
          columns={workerColumns}
          idOf={({ id }) => id}
          sort={sort}
          onSort={setSort}
          list={shown}
          {...(isSteered ? { selected, onSelect: select } : {})}
          empty={<NoWorkers shown={shown} isFirst={workers.length === 0} />}
        />
      </Card>
      <OrderDialog asked={asked} onClose={() => setAsked(undefined)} />
    </>
  )
}

interface CountProps {
  readonly count: number
  /** Of those that live. `undefined`: none was selected. */
  readonly selected: number | undefined
}

function Count({ count, selected }: CountProps) {
  return (
    <>
      {count === 1 ? '1 worker' : `${tellCount(count)} workers`}
      {selected !== undefined && (
        <span className={css.count}>
          {selected === 0 ? ' · what was selected has ended' : ` · ${tellCount(selected)} selected`}
        </span>
      )}
    </>
  )
}
