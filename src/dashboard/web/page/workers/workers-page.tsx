import { useState } from 'react'
import { useApi, useMe } from '../../api/use-api.js'
import { useSearch } from '../../api/use-search.js'
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
import { type WorkerRow, workerColumns } from './worker-columns.js'
import css from './workers.module.css'

type Shown = (typeof shownGroups)[number]
const shownGroups = [...workerGroups, 'all'] as const
const none: ReadonlySet<string> = new Set()

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
      onChange={(group) => search.set({ state: group === 'live' ? undefined : group })}
    />
  )
}

interface ListProps {
  readonly workers: readonly WorkerRow[]
  readonly shown: Shown
}

function List({ workers, shown }: ListProps) {
  const [sort, setSort] = useSort({ id: 'state', isDescending: false })
  const [selected, setSelected] = useState(none)
  const [asked, setAsked] = useState<Asked>()
  const maySteer = useMe()?.actions.some((action) => action.startsWith('worker.')) ?? false
  const rows = workers.filter((worker) => isShown(worker, shown))
  const live = rows.filter(({ state }) => groupOf(state) === 'live')
  const chosen = live.filter(({ id }) => selected.has(id))
  const targets = chosen.length > 0 ? chosen : live
  const targetsOf = chosen.length > 0 ? `Act on ${tellCount(chosen.length)} selected` : 'Act on all'
  const isSteered = maySteer && live.length > 0
  return (
    <>
      <Card
        isFlush
        title={<Count count={rows.length} chosen={chosen.length} />}
        aside={
          isSteered && (
            <OrderMenu
              label={`${targetsOf} workers`}
              verbs={orderVerbs}
              onPick={(verb) => setAsked({ verb, workers: targets })}
            >
              {targetsOf}
            </OrderMenu>
          )
        }
      >
        <Table
          label="Workers"
          rows={rows}
          columns={workerColumns}
          idOf={({ id }) => id}
          sort={sort}
          onSort={setSort}
          {...(isSteered ? { selected, onSelect: setSelected } : {})}
          empty={<NoWorkers shown={shown} isFirst={workers.length === 0} />}
        />
      </Card>
      <OrderDialog asked={asked} onClose={() => setAsked(undefined)} />
    </>
  )
}

function Count({ count, chosen }: { readonly count: number; readonly chosen: number }) {
  return (
    <>
      {count === 1 ? '1 worker' : `${tellCount(count)} workers`}
      {chosen > 0 && <span className={css.count}> · {tellCount(chosen)} selected</span>}
    </>
  )
}
