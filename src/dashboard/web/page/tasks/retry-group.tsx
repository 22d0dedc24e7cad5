import type { ErrorGroup, Range } from '../../../api/contract.js'
import { call } from '../../api/call.js'
import type { Json } from '../../api/json.js'
import { useSeldom } from '../../api/use-seldom.js'
import { ActDialog } from '../../ui/dialog.js'
import { tellCount } from '../../ui/format.js'
import { ProblemNote } from '../../ui/note.js'
import { rangeWords } from '../../ui/rate.js'
import { errorQuery } from './error-filter.js'
import css from './tasks.module.css'

interface RetryGroupProps {
  readonly task: string
  readonly range: Range
  readonly group: Json<ErrorGroup>
  onClose(): void
  /** @param operation its line in the audit, which says how far it is */
  onBegun(operation: string): void
}

/** Begins all failed jobs of a kind anew; counts them first, as the filter means them. */
export function RetryGroup({ task, range, group, onClose, onBegun }: RetryGroupProps) {
  const query = errorQuery(group)
  const { data, problem } = useSeldom('GET /job-count', {
    query: { task: [task], state: ['failed'], query, finishedAfter: range, most: 100_000 },
  })
  const count =
    data && `${tellCount(data.count)}${data.isMore ? ' or more' : ''} ${data.count === 1 ? 'job' : 'jobs'}`
  return (
    <ActDialog
      title={`Retry these failures of ${task}`}
      verb={count ? `Retry ${count}` : 'Retry'}
      isReady={(data?.count ?? 0) > 0}
      isOpen
      onClose={onClose}
      act={async () => {
        const filter = { task, state: 'failed' as const, query, finishedAfter: range }
        onBegun((await call('POST /jobs/:action', { params: { action: 'retry' }, body: { filter } })).id)
      }}
    >
      <p className={css.message}>
        <span className={css.error}>{group.name}</span> {group.message}
      </p>
      <p>
        Each begins anew, with all its attempts. Meant are failed jobs of the last {rangeWords[range]} with
        this error: <code className={css.message}>{query}</code>
      </p>
      <p role="status">{count ? `${count} will be retried.` : 'Counting …'}</p>
      <ProblemNote problem={problem} />
    </ActDialog>
  )
}
