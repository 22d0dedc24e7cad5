import { useState } from 'react'
import { useLocation } from 'wouter'
import type { JobPage } from '../../../api/contract.js'
import { call } from '../../api/call.js'
import type { Json } from '../../api/json.js'
import { ActDialog } from '../../ui/dialog.js'
import { TextField } from '../../ui/field.js'
import { MoveFields, toMoveBody } from '../../ui/move-fields.js'
import { tellOutcomes } from '../../ui/operation-words.js'
import { useTell } from '../../ui/toast.js'
import { usePresent } from '../../ui/use-present.js'

interface ActOnJobProps {
  readonly job: Json<JobPage>['job']
  readonly action: 'cancel' | 'delete' | 'move'
  onClose(): void
}

const verbs = { cancel: 'Cancel', delete: 'Delete', move: 'Move' } as const

/** Asks before something is done to one job. */
export function ActOnJob({ job, action, onClose }: ActOnJobProps) {
  const tell = useTell()
  const [, go] = useLocation()
  const isPresent = usePresent()
  const [reason, setReason] = useState('')
  const [to, setTo] = useState({ queue: job.queue, priority: String(job.priority) })
  const act = async () => {
    const body = {
      ids: [job.id],
      ...(action === 'cancel' && reason.trim() !== '' ? { reason: reason.trim() } : {}),
      ...(action === 'move' ? toMoveBody(to) : {}),
    }
    const line = await call('POST /jobs/:action', { params: { action }, body })
    tell(tellOutcomes(line.operation?.counts ?? {}).join(', ') || 'Done')
    if (action === 'delete' && isPresent()) go('/jobs')
  }
  return (
    <ActDialog
      title={`${verbs[action]} job ${job.id.slice(-8)}?`}
      verb={`${verbs[action]} the job`}
      isDanger={action !== 'move'}
      isOpen
      onClose={onClose}
      act={act}
    >
      {action === 'cancel' && (
        <>
          <p>
            {job.state === 'running'
              ? 'It is asked to stop, and ends as soon as its handler listens.'
              : 'It will never start.'}
          </p>
          <TextField
            label="Reason"
            hint="Shown with the job. May be left out."
            value={reason}
            maxLength={1000}
            onChange={({ target }) => setReason(target.value)}
          />
        </>
      )}
      {action === 'delete' && (
        <p>
          Nothing is kept of it: no payload, no result, no log. Whoever follows it finds no such job. This
          cannot be undone.
        </p>
      )}
      {action === 'move' && <MoveFields value={to} onChange={setTo} />}
    </ActDialog>
  )
}
