import { Link } from 'wouter'
import { isEnd } from '../../../../job/state.js'
import type { JobRow } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { Cut } from '../../ui/cut.js'
import { tellCount } from '../../ui/format.js'
import { CutLink, NameLink } from '../../ui/name-link.js'
import { percentOf, tellProgress } from '../../ui/reported.js'
import { Badge, State } from '../../ui/state.js'
import type { Column } from '../../ui/table.js'
import { Duration, None, Since, Time } from '../../ui/time.js'
import { tookOf } from '../job/timeline.js'
import css from './columns.module.css'

export type Row = Json<JobRow>

/** All that a list can say of a job. */
export const columns: readonly Column<Row>[] = [
  {
    id: 'task',
    title: 'Task',
    narrow: 'title',
    cell: ({ id, task }) => (
      <Cut text={task} room="long">
        <Link href={`/jobs/${id}`} className={css.task}>
          {task} <span className={css.short}>{id.slice(-8)}</span>
        </Link>
      </Cut>
    ),
  },
  {
    id: 'id',
    title: 'Id',
    narrow: 'hidden',
    cell: ({ id }) => (
      <Link href={`/jobs/${id}`} title={id} className={css.id}>
        {id.slice(-8)}
      </Link>
    ),
  },
  { id: 'state', title: 'State', cell: ({ state }) => <State state={state} /> },
  {
    id: 'queue',
    title: 'Queue',
    cell: ({ queue }) => <CutLink kind="queue" name={queue} />,
  },
  { id: 'owner', title: 'Owner', cell: ({ owner }) => (owner === null ? <None /> : <Cut text={owner} />) },
  { id: 'tags', title: 'Tags', cell: ({ tags }) => <Tags tags={tags} /> },
  {
    id: 'attempts',
    title: 'Attempts',
    isNumber: true,
    cell: ({ attempt, maxAttempts }) => (
      <span title={`${attempt} of at most ${maxAttempts}`}>
        {attempt}
        {attempt <= maxAttempts && <span className={css.of}>/{maxAttempts}</span>}
      </span>
    ),
  },
  { id: 'priority', title: 'Priority', isNumber: true, cell: ({ priority }) => tellCount(priority) },
  { id: 'created', title: 'Created', cell: ({ createdAt }) => <Time at={createdAt} /> },
  { id: 'wait', title: 'Wait', isNumber: true, cell: (job) => <Wait job={job} /> },
  { id: 'duration', title: 'Took', isNumber: true, cell: (job) => <Took job={job} /> },
  { id: 'finished', title: 'Ended', cell: ({ finishedAt }) => <Time at={finishedAt} /> },
  {
    id: 'worker',
    title: 'Worker',
    narrow: 'hidden',
    cell: ({ workerId, workerName }) =>
      workerId === null ? (
        <None />
      ) : (
        <Cut text={workerName ?? workerId}>
          <NameLink kind="worker" name={workerId}>
            {workerName ?? workerId.slice(-12)}
          </NameLink>
        </Cut>
      ),
  },
  { id: 'progress', title: 'Progress', cell: (job) => <Progress job={job} /> },
  {
    id: 'payload',
    title: 'Payload',
    isWide: true,
    narrow: 'hidden',
    cell: ({ payload }) => <Text value={payload} />,
  },
  { id: 'outcome', title: 'Result or error', isWide: true, cell: (job) => <Outcome job={job} /> },
]

/** Those that a list has which says none. Ended jobs are sorted by their end. */
export function usualColumns(isByEnd: boolean): readonly string[] {
  const when = isByEnd ? 'finished' : 'created'
  return ['task', 'id', 'state', 'attempts', when, 'duration', 'worker', 'outcome']
}

function Tags({ tags }: { readonly tags: readonly string[] }) {
  if (tags.length === 0) return <None />
  return (
    <span className={css.tags}>
      {tags.slice(0, 3).map((tag) => (
        <Badge key={tag}>{tag}</Badge>
      ))}
      {tags.length > 3 && <span title={tags.join(', ')}>+{tags.length - 3}</span>}
    </span>
  )
}

/** From when it was due to its start. */
function Wait({ job: { state, attempt, runAt, startedAt } }: { readonly job: Row }) {
  if (attempt > 0 && startedAt !== null && state !== 'queued')
    return <Duration ms={Math.max(0, new Date(startedAt).getTime() - new Date(runAt).getTime())} />
  return state === 'queued' ? <Since at={runAt} /> : <None />
}

function Took({ job }: { readonly job: Row }) {
  const took = tookOf(job)
  if (took === 'running' && job.startedAt !== null) return <Since at={job.startedAt} />
  return typeof took !== 'number' ? <None /> : <Duration ms={took} />
}

function Progress({ job: { progress } }: { readonly job: Row }) {
  const text = tellProgress(progress)
  if (text === undefined) return <None />
  const percent = percentOf(progress)
  return (
    <span className={css.progress} title={text}>
      {percent !== undefined && (
        <span className={css.track} aria-hidden="true">
          <span className={css.bar} style={{ width: `${percent}%` }} />
        </span>
      )}
      {percent === undefined ? text.slice(0, 40) : `${Math.round(percent)} %`}
    </span>
  )
}

function Outcome({ job: { state, error, result, resultError, cancelReason } }: { readonly job: Row }) {
  if (error && state !== 'succeeded')
    return (
      <span title={`${error.name}: ${error.message}`} className={css.error}>
        <strong>{error.name}</strong> {error.message}
      </span>
    )
  if (state === 'cancelled') return cancelReason ?? <None />
  if (resultError !== null) return <span title={resultError}>Its result could not be kept</span>
  return isEnd(state) ? <Text value={result} /> : <None />
}

/** As the beginning of its JSON. */
function Text({ value }: { readonly value: unknown }) {
  if (value === null || value === undefined) return <None />
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return (
    <code title={text} className={css.text}>
      {text}
    </code>
  )
}
