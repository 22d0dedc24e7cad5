import { useState } from 'react'
import type { BulkAction } from '../../../../job/filter.js'
import { call } from '../../api/call.js'
import { ActDialog } from '../../ui/dialog.js'
import { TextField } from '../../ui/field.js'
import { tellCount } from '../../ui/format.js'
import { MoveFields, toMoveBody } from '../../ui/move-fields.js'
import { actionVerbs, isClean, tellOutcomes } from '../../ui/operation-words.js'
import { useTell } from '../../ui/toast.js'
import { type Choice, countFit, fitStates, toWhich } from './choice.js'
import type { Row } from './columns.js'
import { tellJobs } from './total.js'
import { useCount } from './use-count.js'
import { type JobsView, toFilter } from './view.js'

interface ActOnManyProps {
  readonly action: BulkAction
  readonly view: JobsView
  readonly choice: Choice
  readonly rows: readonly Row[]
  onClose(): void
  onDone(): void
  onStarted(operation: string): void
}

const explained: Readonly<Record<BulkAction, string>> = {
  retry:
    'They begin anew, with the same payload: all of their attempts are before them. Those of before stay in their history.',
  cancel: 'What waits will never start. What runs is asked to stop, and ends as soon as its handler listens.',
  delete:
    'Nothing is kept of them: no payload, no result, no logs. This cannot be undone. What runs is left alone.',
  promote: 'What waits for its time, or for its next attempt, is due now.',
  move: 'What waits goes to another queue, gets another priority, or both.',
}

const word = 'delete'
const mostCounted = 1_000_000

/** Asks before something is done to many jobs: what it does, and to how many. */
export function ActOnMany({ action, view, choice, rows, onClose, onDone, onStarted }: ActOnManyProps) {
  const tell = useTell()
  const [reason, setReason] = useState('')
  const [to, setTo] = useState({ queue: '', priority: '' })
  const [typed, setTyped] = useState('')
  const isWordAsked = action === 'delete' && choice.kind === 'all'
  const act = async () => {
    const line = await call('POST /jobs/:action', {
      params: { action },
      body: {
        ...toWhich(action, choice, toFilter(view), view.states),
        ...(action === 'cancel' && reason.trim() !== '' ? { reason: reason.trim() } : {}),
        ...(action === 'move' ? toMoveBody(to) : {}),
      },
    })
    if (line.operation && isClean(line.operation))
      tell(tellOutcomes(line.operation.counts).join(', ') || 'Nothing to do')
    else onStarted(line.id)
    onDone()
  }
  const isReady =
    (!isWordAsked || typed.trim() === word) && (action !== 'move' || to.queue !== '' || to.priority !== '')
  return (
    <ActDialog
      title={`${actionVerbs[action]}?`}
      verb={actionVerbs[action]}
      isDanger={action === 'delete' || action === 'cancel'}
      isReady={isReady}
      isOpen
      onClose={onClose}
      act={act}
    >
      <HowMany action={action} view={view} choice={choice} rows={rows} />
      <p>{explained[action]}</p>
      {action === 'cancel' && (
        <TextField
          label="Reason"
          hint="Shown with each job. May be left out."
          value={reason}
          maxLength={1000}
          onChange={({ target: { value } }) => setReason(value)}
        />
      )}
      {action === 'move' && <MoveFields value={to} onChange={setTo} />}
      {isWordAsked && (
        <TextField
          label={`Type "${word}" to confirm`}
          value={typed}
          autoComplete="off"
          onChange={({ target: { value } }) => setTyped(value)}
        />
      )}
    </ActDialog>
  )
}

function HowMany({
  action,
  view,
  choice,
  rows,
}: Pick<ActOnManyProps, 'action' | 'view' | 'choice' | 'rows'>) {
  const states = fitStates(action, view.states)
  const counted = useCount({ ...toFilter(view), state: [...states] }, choice.kind === 'all', mostCounted)
  if (choice.kind === 'some') {
    const fit = countFit(action, choice.ids, rows)
    const rest = choice.ids.size - fit
    return (
      <p>
        <strong>{tellJobs(fit, false)}</strong>
        {rest > 0 &&
          `. The other ${tellCount(rest)} of those that are chosen ${rest === 1 ? 'is' : 'are'} in a state for which this means nothing.`}
      </p>
    )
  }
  return (
    <p aria-live="polite">
      <strong>{counted ? `All ${tellJobs(counted.count, counted.isMore)}` : 'All (counting …)'}</strong> that
      match and are {listed(states)}.
    </p>
  )
}

function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}
