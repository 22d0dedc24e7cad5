import { useState } from 'react'
import type { DashboardAction } from '../../../../control/access.js'
import type { BulkAction } from '../../../../job/filter.js'
import { useMe } from '../../api/use-api.js'
import { Button } from '../../ui/button.js'
import { tellCount } from '../../ui/format.js'
import { Menu } from '../../ui/menu.js'
import { actionVerbs, bulkRights } from '../../ui/operation-words.js'
import { ActOnMany } from './act-on-many.js'
import { type Choice, countFit, fitStates } from './choice.js'
import type { Row } from './columns.js'
import { ExportDialog } from './export-dialog.js'
import css from './selection-bar.module.css'
import type { JobsView } from './view.js'

interface SelectionBarProps {
  readonly view: JobsView
  readonly choice: Choice
  readonly rows: readonly Row[]
  readonly mayHaveAll: boolean
  /** Whether all that match are on this page. */
  readonly isWhole: boolean
  onChoose(choice: Choice): void
  /** Told of an action that goes on, or of which something is to be told. */
  onStarted(operation: string): void
  /** Something was done. */
  onDone(): void
}

/** What may be done, in the order in which it is offered. */
const offered = Object.entries(bulkRights) as [BulkAction, DashboardAction][]

/** Whether whoever looks may do anything with jobs: else there is no reason to choose some. */
export function useMayAct(): boolean {
  const me = useMe()
  return [...offered.map(([, right]) => right), 'job.export'].some((right) => me?.actions.includes(right))
}

/** How many are chosen, and what can be done with them. It stays in sight while one scrolls. */
export function SelectionBar({
  view,
  choice,
  rows,
  mayHaveAll,
  isWhole,
  onChoose,
  onStarted,
  onDone,
}: SelectionBarProps) {
  const me = useMe()
  const [asked, setAsked] = useState<BulkAction | 'export'>()
  const may = (right: DashboardAction) => me?.actions.includes(right) ?? false
  const actions = offered.flatMap(([action, right]) =>
    may(right) ? [{ action, isFit: isFit(action, view, choice, rows) }] : [],
  )
  const close = () => setAsked(undefined)
  return (
    <section className={css.bar} aria-label="Chosen jobs">
      <span className={css.words}>
        <strong>{choice.kind === 'all' ? 'All that match' : `${tellCount(choice.ids.size)} chosen`}</strong>
        {choice.kind === 'some' && mayHaveAll && !isWhole && (
          <Button size="small" kind="plain" onClick={() => onChoose({ kind: 'all' })}>
            All that match
          </Button>
        )}
        <Button size="small" kind="plain" onClick={() => onChoose({ kind: 'some', ids: new Set() })}>
          Clear
        </Button>
      </span>
      <span className={css.actions}>
        {actions.map(({ action, isFit: isOffered }) => (
          <Button
            key={action}
            kind={action === 'delete' ? 'danger' : 'normal'}
            disabled={!isOffered}
            title={isOffered ? undefined : 'None of them is in a state for this'}
            onClick={() => setAsked(action)}
          >
            {actionVerbs[action]}
          </Button>
        ))}
        {may('job.export') && <Button onClick={() => setAsked('export')}>Export</Button>}
      </span>
      <span className={css.narrow}>
        <Menu
          label="Act on the chosen jobs"
          items={[
            ...actions.map(({ action, isFit: isOffered }) => ({
              label: actionVerbs[action],
              isDanger: action === 'delete',
              isDisabled: !isOffered,
              onPick: () => setAsked(action),
            })),
            ...(may('job.export') ? [{ label: 'Export', onPick: () => setAsked('export') }] : []),
          ]}
        >
          Act
        </Menu>
      </span>
      {asked === 'export' && <ExportDialog view={view} choice={choice} onClose={close} />}
      {asked !== undefined && asked !== 'export' && (
        <ActOnMany
          action={asked}
          view={view}
          choice={choice}
          rows={rows}
          onClose={close}
          onDone={() => {
            onChoose({ kind: 'some', ids: new Set() })
            onDone()
          }}
          onStarted={onStarted}
        />
      )}
    </section>
  )
}

function isFit(action: BulkAction, view: JobsView, choice: Choice, rows: readonly Row[]): boolean {
  if (choice.kind === 'all') return fitStates(action, view.states).length > 0
  return countFit(action, choice.ids, rows) > 0
}
