import { useMemo, useState } from 'react'
import { feed } from '../../api/feed.js'
import { useMay } from '../../api/use-api.js'
import { Button } from '../../ui/button.js'
import { Card } from '../../ui/card.js'
import { Choice as OneOf } from '../../ui/choice.js'
import { Empty } from '../../ui/empty.js'
import { tellCount } from '../../ui/format.js'
import { Menu } from '../../ui/menu.js'
import { ProblemNote } from '../../ui/note.js'
import { OperationById } from '../../ui/operation.js'
import { Page } from '../../ui/page.js'
import { Table } from '../../ui/table.js'
import { Waiting } from '../../ui/waiting.js'
import { type Choice, readChoice, writeChoice } from './choice.js'
import { ColumnChoice, useColumns } from './column-choice.js'
import { columns } from './columns.js'
import { ExportDialog } from './export-dialog.js'
import { FilterRow } from './filter-row.js'
import css from './jobs-page.module.css'
import { ListFoot, listId, WayBack } from './list-foot.js'
import { Narrowed } from './narrowed.js'
import { NoJobs } from './no-jobs.js'
import { NotUnderstood } from './not-understood.js'
import { SearchField } from './search-field.js'
import { SelectionBar, useMayAct } from './selection-bar.js'
import { StateChips } from './state-chips.js'
import { Total } from './total.js'
import { useHeld } from './use-held.js'
import { useJobs } from './use-jobs.js'
import { useReading } from './use-reading.js'
import { useJobsView } from './use-view.js'
import { isAskable, isByEnd, type JobsView, orderOf, strangeIn, toFilter, withoutStrange } from './view.js'

/** Every job of the store, by whatever one knows of it. */
export default function JobsPage() {
  const { view, change, search } = useJobsView()
  const filter = useMemo(() => toFilter(view), [view])
  const { data, problem, isLoading, key } = useJobs(view)
  /** What there is, is the answer to something else, and none to this will come. */
  const isRefused = problem !== undefined || !isAskable(view)
  const isOld = isLoading || isRefused
  const refused = data ? 'What was listed before' : 'Jobs'
  const strange = strangeIn(search)
  const said = chosenIn(search.get('selected'), strange.length === 0)
  const isChoosing = said.kind === 'all' || said.ids.size > 0
  const reading = useReading()
  const held = useHeld({
    key,
    latest: data?.jobs,
    isLoading: isOld,
    isHeld: reading.isReading || isChoosing,
    isBefore: orderOf(view),
  })
  const mayAct = useMayAct()
  const choice = among(said, held.rows)
  const isEnds = isByEnd(view.states)
  const shown = useColumns(search, isEnds)
  const operation = search.get('operation')
  const choose = (next: Choice) => search.set({ selected: writeChoice(next) })
  return (
    <Page title="Jobs">
      <div className={css.filters}>
        <SearchField
          query={view.query}
          onSearch={(text) => (text === view.query ? feed.refresh() : change({ query: text }))}
        />
        <StateChips counts={data?.states} chosen={view.states} onChange={(states) => change({ states })} />
        <FilterRow view={view} change={change} />
        <Narrowed view={view} change={change} />
      </div>
      {operation !== '' && (
        <OperationById id={operation} onClose={() => search.set({ operation: undefined })} />
      )}
      <NotUnderstood
        strange={strange}
        onLeaveOut={() => search.set(withoutStrange(search, strange), { isStep: true })}
      />
      <ProblemNote problem={problem} />
      <div {...reading.props} id={listId} className={css.list}>
        <Card
          title={
            isRefused ? (
              refused
            ) : (
              <Total view={view} filter={filter} exact={isLoading ? undefined : data?.total} />
            )
          }
          aside={
            <>
              {held.fresh > 0 && (
                <Button size="small" onClick={held.accept}>
                  Show {tellCount(held.fresh)} new
                </Button>
              )}
              <OneOf
                label="Order"
                value={view.sort}
                options={orders}
                onChange={(next) => change({ sort: next })}
              />
              <ColumnChoice shown={shown} search={search} isByEnd={isEnds} />
              {mayAct && strange.length === 0 && (
                <More view={view} onChooseAll={() => choose({ kind: 'all' })} />
              )}
            </>
          }
          isFlush
        >
          {data ? (
            <div aria-busy={isLoading} className={isOld ? css.isOld : undefined}>
              <Table
                label="Jobs"
                rows={held.rows}
                columns={columns}
                shown={shown}
                idOf={idOf}
                isFaded={({ id }) => held.gone.has(id)}
                selected={choice.kind === 'all' ? new Set(held.rows.map(idOf)) : choice.ids}
                {...(mayAct ? { onSelect: (ids) => choose({ kind: 'some', ids }) } : {})}
                empty={
                  isOld ? <NoList view={view} isRefused={isRefused} /> : <NoJobs view={view} page={data} />
                }
              />
            </div>
          ) : (
            <NoList view={view} isRefused={isRefused} />
          )}
        </Card>
      </div>
      {data && !isRefused && (
        <ListFoot view={view} change={change} search={search} page={data} isOld={isLoading} />
      )}
      {isRefused && view.cursor !== '' && <WayBack sort={view.sort} search={search} />}
      {mayAct && (choice.kind === 'all' || choice.ids.size > 0) && (
        <SelectionBar
          view={view}
          choice={choice}
          rows={held.rows}
          mayHaveAll={strange.length === 0}
          isWhole={
            view.cursor === '' &&
            data?.cursor === null &&
            choice.kind === 'some' &&
            choice.ids.size === held.rows.length
          }
          onChoose={choose}
          onStarted={(id) => search.set({ operation: id, selected: undefined })}
          onDone={held.expect}
        />
      )}
    </Page>
  )
}

/** In the place of a list that is not there. */
function NoList({ view, isRefused }: { readonly view: JobsView; readonly isRefused: boolean }) {
  if (!isRefused) return <Waiting height={420} />
  return isAskable(view) ? null : (
    <Empty title="No list yet">The query above is not one. Mend it, and search.</Empty>
  )
}

/** All are not chosen where it was not understood which are meant. */
function chosenIn(text: string, mayHaveAll: boolean): Choice {
  const said = readChoice(text)
  return said.kind === 'all' && !mayHaveAll ? { kind: 'some', ids: new Set() } : said
}

const orders = [
  { value: 'newest', label: 'Newest' },
  { value: 'oldest', label: 'Oldest' },
] as const

/** What is not seen is not acted on. */
function among(choice: Choice, rows: readonly { readonly id: string }[]): Choice {
  if (choice.kind === 'all') return choice
  return { kind: 'some', ids: new Set(rows.flatMap(({ id }) => (choice.ids.has(id) ? id : []))) }
}

function idOf({ id }: { readonly id: string }): string {
  return id
}

interface MoreProps {
  readonly view: JobsView
  onChooseAll(): void
}

/** What can be done with all that match. */
function More({ view, onChooseAll }: MoreProps) {
  const mayExport = useMay('job.export')
  const [isExporting, setExporting] = useState(false)
  return (
    <>
      <Menu
        label="All that match"
        items={[
          { label: 'Choose all that match', onPick: onChooseAll },
          ...(mayExport ? [{ label: 'Export all that match', onPick: () => setExporting(true) }] : []),
        ]}
      />
      {isExporting && (
        <ExportDialog view={view} choice={{ kind: 'all' }} onClose={() => setExporting(false)} />
      )}
    </>
  )
}
