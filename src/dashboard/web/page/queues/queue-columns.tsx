import type { QueueSummary, Range } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { tellCount, tellPart } from '../../ui/format.js'
import { NameLink } from '../../ui/name-link.js'
import { Percentiles } from '../../ui/percentiles.js'
import { tellPerMinute } from '../../ui/rate.js'
import { RowName } from '../../ui/row-name.js'
import { Badge } from '../../ui/state.js'
import type { Column } from '../../ui/table.js'
import { Duration, None } from '../../ui/time.js'
import { tellLimits } from '../limits/words.js'
import { Pause } from './pause.js'
import css from './queues.module.css'
import { isUnserved } from './standing.js'

type Queue = Json<QueueSummary>

export function queueColumns(range: Range): readonly Column<Queue>[] {
  return [
    {
      id: 'name',
      title: 'Queue',
      narrow: 'title',
      isRest: true,
      value: ({ name }) => name,
      cell: (queue) => <Name queue={queue} />,
    },
    count('waiting', 'Waiting', ({ waiting }) => waiting),
    count('running', 'Running', ({ running }) => running),
    count('delayed', 'Delayed', ({ delayed }) => delayed),
    {
      id: 'oldest',
      title: 'Oldest',
      isNumber: true,
      value: ({ oldestMs }) => oldestMs ?? -1,
      cell: ({ oldestMs }) => <Duration ms={oldestMs} />,
    },
    {
      id: 'started',
      title: 'Starts',
      isNumber: true,
      value: ({ rates }) => rates.started,
      cell: ({ rates }) => tellPerMinute(rates.started, range),
    },
    {
      id: 'failures',
      title: 'Failed',
      isNumber: true,
      value: ({ rates }) => rates.failureRate ?? -1,
      cell: ({ rates }) => (rates.failureRate === null ? <None /> : tellPart(rates.failureRate)),
    },
    {
      id: 'wait',
      title: 'Wait p50 / p95',
      isNumber: true,
      value: ({ rates }) => rates.wait.p95Ms ?? -1,
      cell: ({ rates: { wait } }) => <Percentiles of={wait} />,
    },
    { id: 'workers', title: 'Served by', cell: (queue) => <ServedBy queue={queue} /> },
    {
      id: 'pause',
      title: 'Action',
      isFixed: true,
      cell: ({ name, isPaused, waiting }) => (
        <Pause queue={name} isPaused={isPaused} waiting={waiting} size="small" />
      ),
    },
  ]
}

function count(id: string, title: string, of: (queue: Queue) => number): Column<Queue> {
  return { id, title, isNumber: true, value: of, cell: (queue) => tellCount(of(queue)) }
}

function Name({ queue: { name, isPaused, limits } }: { readonly queue: Queue }) {
  const told = tellLimits(limits)
  return (
    <RowName name={name}>
      <NameLink kind="queue" name={name} />
      {isPaused && <Badge tone="warning">paused</Badge>}
      {told !== '' && <span className={css.limits}>{told}</span>}
    </RowName>
  )
}

function ServedBy({ queue }: { readonly queue: Queue }) {
  const { servedBy } = queue
  const [first, ...others] = servedBy
  if (isUnserved(queue)) return <Badge tone="danger">nobody</Badge>
  if (first === undefined) return <span className={css.idle}>nobody</span>
  return (
    <span className={css.workers} title={servedBy.join(', ')}>
      {others.length === 0 ? (
        <NameLink kind="worker" name={first} />
      ) : (
        `${tellCount(servedBy.length)} workers`
      )}
    </span>
  )
}
