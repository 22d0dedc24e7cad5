import { useState } from 'react'
import { call } from '../../api/call.js'
import { useMay } from '../../api/use-api.js'
import { Button } from '../../ui/button.js'
import { Card } from '../../ui/card.js'
import { Cut } from '../../ui/cut.js'
import { ActDialog } from '../../ui/dialog.js'
import { TextField } from '../../ui/field.js'
import { tellCount } from '../../ui/format.js'
import { CutLink, NameLink } from '../../ui/name-link.js'
import { tellOutcomes } from '../../ui/operation-words.js'
import { type Column, Table } from '../../ui/table.js'
import { Duration } from '../../ui/time.js'
import { useTell } from '../../ui/toast.js'
import { groupOf } from './condition.js'
import type { WorkerData } from './worker-page.js'
import css from './workers.module.css'

type Active = WorkerData['active'][number]

/** What runs on it, by the store, and the way to stop one. */
export function WorkerActive({ worker }: { readonly worker: WorkerData }) {
  const { active, state } = worker
  const mayCancel = useMay('job.cancel')
  const [doomed, setDoomed] = useState<Active>()
  const isLive = groupOf(state) === 'live'
  if (active.length === 0 && !isLive) return null
  return (
    <Card
      isFlush
      title="Running now"
      aside={active.length > 0 && <span className={css.count}>{tellShown(active.length)}</span>}
    >
      <Table
        label="Running jobs"
        rows={active}
        columns={mayCancel ? [...columns, cancelColumn(setDoomed)] : columns}
        idOf={({ id }) => id}
        list={worker.id}
        empty={<p className={css.idle}>Nothing runs here right now.</p>}
      />
      {doomed && <CancelDialog key={doomed.id} job={doomed} onClose={() => setDoomed(undefined)} />}
    </Card>
  )
}

const most = 100

function tellShown(count: number): string {
  return count < most ? tellCount(count) : `the oldest ${most}`
}

const columns: readonly Column<Active>[] = [
  {
    id: 'task',
    title: 'Job',
    narrow: 'title',
    cell: ({ id, task }) => (
      <Cut text={task} room="long">
        <NameLink kind="job" name={id}>
          {task}
        </NameLink>
      </Cut>
    ),
  },
  { id: 'id', title: 'Id', isWide: true, cell: ({ id }) => <code>{id}</code> },
  {
    id: 'queue',
    title: 'Queue',
    cell: ({ queue }) => <CutLink kind="queue" name={queue} />,
  },
  { id: 'attempt', title: 'Attempt', isNumber: true, cell: ({ attempt }) => tellCount(attempt) },
  { id: 'running', title: 'For', isNumber: true, cell: ({ runningMs }) => <Duration ms={runningMs} /> },
]

function cancelColumn(onCancel: (job: Active) => void): Column<Active> {
  return {
    id: 'cancel',
    title: 'Action',
    isNumber: true,
    isFixed: true,
    cell: (job) => (
      <Button size="small" aria-label={`Cancel ${job.task} ${job.id}`} onClick={() => onCancel(job)}>
        Cancel…
      </Button>
    ),
  }
}

function CancelDialog({ job, onClose }: { readonly job: Active; onClose(): void }) {
  const [reason, setReason] = useState('')
  const tell = useTell()
  const cancel = async () => {
    const { operation } = await call('POST /jobs/:action', {
      params: { action: 'cancel' },
      body: { ids: [job.id], ...(reason.trim() === '' ? {} : { reason: reason.trim() }) },
    })
    const counts = operation?.counts ?? {}
    tell(
      tellOutcomes(counts).join(', ') || 'Done',
      counts.cancelling ? `${job.task} stops as soon as its handler heeds its signal.` : undefined,
    )
  }
  return (
    <ActDialog
      title={`Cancel ${job.task} ${job.id.slice(-8)}?`}
      verb="Cancel the job"
      isDanger
      isOpen
      onClose={onClose}
      act={cancel}
    >
      <p>
        Its handler is told by its AbortSignal, and ended after its grace. The job is not run again unless
        somebody retries it.
      </p>
      <TextField
        label="Reason"
        hint="Stands on the job and in the audit."
        value={reason}
        maxLength={500}
        onChange={({ target }) => setReason(target.value)}
      />
    </ActDialog>
  )
}
