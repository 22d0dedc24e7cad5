import { useMemo, useState } from 'react'
import { Link } from 'wouter'
import type { JobState } from '../../../../job/state.js'
import type { ErrorGroup, Range } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { useMay } from '../../api/use-api.js'
import { useSearch } from '../../api/use-search.js'
import { useSeldom } from '../../api/use-seldom.js'
import { Button } from '../../ui/button.js'
import { Card } from '../../ui/card.js'
import { Empty } from '../../ui/empty.js'
import { tellCount } from '../../ui/format.js'
import { jobsLink } from '../../ui/jobs-link.js'
import { ProblemNote } from '../../ui/note.js'
import { rangeWords } from '../../ui/rate.js'
import { type Column, Table } from '../../ui/table.js'
import { None, Time } from '../../ui/time.js'
import { Waiting } from '../../ui/waiting.js'
import { errorQuery } from './error-filter.js'
import { RetryGroup } from './retry-group.js'
import css from './tasks.module.css'

/** It is a search in jobs, and takes up to two seconds. */
const againMs = 30_000

type Group = Json<ErrorGroup>

interface TaskErrorsProps {
  readonly task: string
  readonly range: Range
}

/** What went wrong in the range, alike failures together; whoever may retries all of a kind. */
export function TaskErrors({ task, range }: TaskErrorsProps) {
  const { data, problem, isLoading } = useSeldom(
    'GET /tasks/:name/errors',
    { params: { name: task }, query: { range } },
    againMs,
  )
  // What is known is of another range.
  const answer = isLoading || problem ? undefined : data
  const mayRetry = useMay('job.retry')
  const search = useSearch()
  const [retried, setRetried] = useState<Group>()
  const columns = useMemo(
    () => columnsOf(task, range, mayRetry ? setRetried : undefined),
    [task, range, mayRetry],
  )
  return (
    <Card
      title="Failures"
      note={answer ? tellLooked(answer, range) : 'By error; numbers, ids and quoted texts are left out.'}
      isFlush
    >
      <ProblemNote problem={problem} />
      {answer ? (
        <Table
          label="Failures by error"
          rows={answer.groups}
          columns={columns}
          idOf={({ name, message }) => `${name} ${message}`}
          empty={
            <Empty title={`No job of this task has failed, or is retried, in the last ${rangeWords[range]}.`}>
              What went wrong before a job succeeded stands on its own page.
            </Empty>
          }
        />
      ) : (
        !problem && <Waiting height={120} />
      )}
      {retried && (
        <RetryGroup
          task={task}
          range={range}
          group={retried}
          onClose={() => setRetried(undefined)}
          onBegun={(operation) => search.set({ operation }, { isStep: true })}
        />
      )}
    </Card>
  )
}

function tellLooked(
  { looked, isCut }: { readonly looked: number; readonly isCut: boolean },
  range: Range,
): string {
  const kinds = 'Alike ones together: numbers, ids and quoted texts are left out.'
  if (!isCut) return `Of the last ${rangeWords[range]}. ${kinds}`
  return `The last ${tellCount(looked)} failures; there may be more in the last ${rangeWords[range]}. ${kinds}`
}

/** Those that are retried begin anew by themselves. */
function statesOf({ count, retrying }: Group): JobState[] {
  return [...(count > retrying ? ['failed' as const] : []), ...(retrying > 0 ? ['retrying' as const] : [])]
}

function columnsOf(
  task: string,
  range: Range,
  onRetry: ((group: Group) => void) | undefined,
): readonly Column<Group>[] {
  return [
    {
      id: 'error',
      title: 'Error',
      narrow: 'title',
      cell: ({ name, message }) => (
        <span className={css.message}>
          <span className={css.error}>{name}</span> {message}
        </span>
      ),
    },
    { id: 'count', title: 'Jobs', isNumber: true, cell: ({ count }) => tellCount(count) },
    {
      id: 'retrying',
      title: 'Retried',
      isNumber: true,
      narrow: 'hidden',
      cell: ({ retrying }) => (retrying === 0 ? <None /> : tellCount(retrying)),
    },
    { id: 'last', title: 'Last', cell: ({ lastAt }) => <Time at={lastAt} /> },
    {
      id: 'actions',
      title: 'Which',
      cell: (group) => (
        <span className={css.actions}>
          <Link href={`/jobs/${group.jobId}`}>the last</Link>
          <Link href={jobsLink({ task: [task], state: statesOf(group), query: errorQuery(group), range })}>
            all
          </Link>
          {onRetry && group.count > group.retrying && (
            <Button size="small" onClick={() => onRetry(group)}>
              Retry all
            </Button>
          )}
        </span>
      ),
    },
  ]
}
