import { useState } from 'react'
import { useLocation } from 'wouter'
import type { DashboardAction } from '../../../../control/access.js'
import { type BulkAction, bulkStates } from '../../../../job/filter.js'
import { formatQuery } from '../../../../job/query/format.js'
import { isEnd } from '../../../../job/state.js'
import type { JobPage } from '../../../api/contract.js'
import { call } from '../../api/call.js'
import type { Json } from '../../api/json.js'
import { useMe } from '../../api/use-api.js'
import { Button } from '../../ui/button.js'
import { useAct } from '../../ui/dialog.js'
import { jobsLink } from '../../ui/jobs-link.js'
import { Menu, type MenuItem } from '../../ui/menu.js'
import { ProblemNote } from '../../ui/note.js'
import { tellOutcomes } from '../../ui/operation-words.js'
import { useTell } from '../../ui/toast.js'
import { ActOnJob } from './act-on-job.js'
import { CopyDialog } from './copy-dialog.js'
import { EditDialog } from './edit-dialog.js'
import css from './job-actions.module.css'

type Asked = 'cancel' | 'delete' | 'move' | 'edit' | 'copy' | 'call'

/** What can be done with a job, as it stands, by whoever looks. */
export function JobActions({ page }: { readonly page: Json<JobPage> }) {
  const { job } = page
  const me = useMe()
  const tell = useTell()
  const [, go] = useLocation()
  const [asked, setAsked] = useState<Asked>()
  const { isBusy, problem, run } = useAct()
  const may = (right: DashboardAction) => me?.actions.includes(right) ?? false
  const can = (action: BulkAction, right: DashboardAction) =>
    may(right) && bulkStates[action].includes(job.state)
  const act = (action: BulkAction) => () =>
    run(async () => {
      const line = await call('POST /jobs/:action', { params: { action }, body: { ids: [job.id] } })
      tell(tellOutcomes(line.operation?.counts ?? {}).join(', ') || 'Done')
    })
  const items: readonly (MenuItem | false)[] = [
    can('retry', 'job.edit') && { label: 'Retry with another payload …', onPick: () => setAsked('edit') },
    may('task.enqueue') && { label: 'Enqueue a copy …', onPick: () => setAsked('copy') },
    can('move', 'job.move') && { label: 'Queue and priority …', onPick: () => setAsked('move') },
    { label: 'Copy as curl, command, code …', onPick: () => setAsked('call') },
    { label: job.error ? 'Find such failures' : 'Find jobs of this task', onPick: () => go(similar(job)) },
    can('delete', 'job.delete') && { label: 'Delete …', isDanger: true, onPick: () => setAsked('delete') },
  ]
  const close = () => setAsked(undefined)
  return (
    <>
      {can('retry', 'job.retry') && (
        <Button kind="primary" isBusy={isBusy} onClick={act('retry')}>
          Retry
        </Button>
      )}
      {can('promote', 'job.run') && (
        <Button isBusy={isBusy} onClick={act('promote')}>
          Run now
        </Button>
      )}
      {!isEnd(job.state) && may('job.cancel') && (
        <Button kind="danger" disabled={job.cancelRequestedAt !== null} onClick={() => setAsked('cancel')}>
          Cancel
        </Button>
      )}
      <Menu label="More to do" items={items.filter((item) => item !== false)} />
      {problem && (
        <div className={css.problem}>
          <ProblemNote problem={problem} />
        </div>
      )}
      {(asked === 'cancel' || asked === 'delete' || asked === 'move') && (
        <ActOnJob job={job} action={asked} onClose={close} />
      )}
      {(asked === 'edit' || asked === 'copy') && (
        <EditDialog page={page} kind={asked === 'edit' ? 'retry' : 'copy'} onClose={close} />
      )}
      {asked === 'call' && <CopyDialog page={page} onClose={close} />}
    </>
  )
}

/** Of the same task, with the same kind of error. */
function similar({ task, error }: Json<JobPage>['job']): string {
  if (!error) return jobsLink({ task: [task] })
  return jobsLink({
    task: [task],
    query: formatQuery({ kind: 'name', field: 'error.name', among: [error.name] }),
    range: 'all',
  })
}
