import { useState } from 'react'
import type { QueuePage } from '../../../api/contract.js'
import { call } from '../../api/call.js'
import type { Json } from '../../api/json.js'
import { useSeldom } from '../../api/use-seldom.js'
import { ActDialog } from '../../ui/dialog.js'
import { SelectField, TextField } from '../../ui/field.js'
import { tellCount } from '../../ui/format.js'
import { ProblemNote } from '../../ui/note.js'
import { useSettled } from '../../ui/use-settled.js'
import { ageFault, isWholeQueue, purgeFilter, purgeQuery, wholeQueue } from './purge.js'

interface PurgeDialogProps {
  readonly queue: Json<QueuePage>
  onClose(): void
  /** @param operation its line in the audit, which says how far it is */
  onBegun(operation: string): void
}

/** Cancels what waits in a queue: some of it, or all, for which the queue's name must be typed. */
export function PurgeDialog({ queue: { name, tasks }, onClose, onBegun }: PurgeDialogProps) {
  const [purge, setPurge] = useState(wholeQueue)
  const [typed, setTyped] = useState('')
  const fault = ageFault(purge)
  const settled = useSettled(purge)
  const { data, problem, isLoading } = useSeldom(
    'GET /job-count',
    ageFault(settled) ? undefined : { query: { ...purgeQuery(name, settled), most: 100_000 } },
  )
  const isCounted = data !== undefined && !isLoading && settled === purge && fault === undefined
  const isAll = isWholeQueue(purge)
  const count = isCounted ? tellMany(data) : undefined
  const set = (change: Partial<typeof purge>) => setPurge({ ...purge, ...change })
  return (
    <ActDialog
      title={`Cancel what waits in queue ${name}`}
      verb={count === undefined ? 'Cancel jobs' : `Cancel ${count}`}
      isDanger
      isReady={isCounted && data.count > 0 && (!isAll || typed === name)}
      isOpen
      onClose={onClose}
      act={async () => {
        const filter = purgeFilter(name, purge)
        const body = { filter, reason: `queue ${name} was purged` }
        onBegun((await call('POST /jobs/:action', { params: { action: 'cancel' }, body })).id)
      }}
    >
      <p>
        Jobs that are queued, scheduled or wait for their next attempt end as cancelled, and can be retried
        later. What runs goes on, and what comes in meanwhile waits as before.
      </p>
      <SelectField
        label="Task"
        value={purge.task}
        options={[
          { value: '', label: 'Any' },
          ...tasks.map((task) => ({
            value: task.name,
            label: `${task.name} (${tellCount(task.open)} open)`,
          })),
        ]}
        onChange={(task) => set({ task })}
      />
      <TextField
        label="Owner"
        value={purge.owner}
        placeholder="any"
        onChange={({ target }) => set({ owner: target.value })}
      />
      <TextField
        label="Tag"
        value={purge.tag}
        placeholder="any"
        onChange={({ target }) => set({ tag: target.value })}
      />
      <TextField
        label="Older than"
        value={purge.olderThan}
        placeholder="any age"
        isWrong={fault !== undefined}
        hint={fault ?? 'Enqueued so long ago or longer: 30m, 12h, 7d.'}
        onChange={({ target }) => set({ olderThan: target.value })}
      />
      <p role="status">
        {count === undefined
          ? 'Counting …'
          : data?.count === 0
            ? 'No job that waits is meant by this.'
            : `${count} will be cancelled${isAll ? ': all that waits in this queue' : ''}.`}
      </p>
      {isAll && isCounted && data.count > 0 && (
        <TextField
          label={`Type ${name} to cancel all of them`}
          value={typed}
          autoComplete="off"
          onChange={({ target }) => setTyped(target.value)}
        />
      )}
      <ProblemNote problem={problem} />
    </ActDialog>
  )
}

function tellMany({ count, isMore }: { readonly count: number; readonly isMore: boolean }): string {
  return `${tellCount(count)}${isMore ? ' or more' : ''} ${count === 1 ? 'job' : 'jobs'}`
}
