import type { QueueSummary, Range } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { tellCount, tellPart } from '../../ui/format.js'
import { NameLink, NameLinks } from '../../ui/name-link.js'
import { tellPerMinute } from '../../ui/rate.js'
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
      id: 'wait50',
      title: 'Wait p50',
      narrow: 'hidden',
      isNumber: true,
      value: ({ rates }) => rates.wait.p50Ms ?? -1,
      cell: ({ rates }) => <Duration ms={rates.wait.p50Ms} />,
    },
    {
      id: 'wait95',
      title: 'Wait p95',
      isNumber: true,
      value: ({ rates }) => rates.wait.p95Ms ?? -1,
      cell: ({ rates }) => <Duration ms={rates.wait.p95Ms} />,
    },
    { id: 'limits', title: 'Limits', narrow: 'hidden', cell: ({ limits }) => <Limits limits={limits} /> },
    { id: 'workers', title: 'Served by', cell: (queue) => <ServedBy queue={queue} /> },
    {
      id: 'pause',
      title: 'Action',
      cell: ({ name, isPaused, waiting }) => (
        <Pause queue={name} isPaused={isPaused} waiting={waiting} size="small" />
      ),
    },
  ]
}

function count(id: string, title: string, of: (queue: Queue) => number): Column<Queue> {
  return { id, title, isNumber: true, value: of, cell: (queue) => tellCount(of(queue)) }
}

function Limits({ limits }: Pick<Queue, 'limits'>) {
  const told = tellLimits(limits)
  return told === '' ? <None /> : <span className={css.limits}>{told}</span>
}

function Name({ queue: { name, isPaused } }: { readonly queue: Queue }) {
  return (
    <span className={css.name}>
      <NameLink kind="queue" name={name} />
      {isPaused && <Badge tone="warning">paused</Badge>}
    </span>
  )
}

/** Those beyond the first few are on the queue's page. */
const mostNamed = 2

function ServedBy({ queue }: { readonly queue: Queue }) {
  const { servedBy } = queue
  if (isUnserved(queue)) return <Badge tone="danger">nobody</Badge>
  if (servedBy.length === 0) return <span className={css.idle}>nobody</span>
  return (
    <span className={css.workers}>
      <NameLinks kind="worker" names={servedBy.slice(0, mostNamed)} />
      {servedBy.length > mostNamed && ` and ${servedBy.length - mostNamed} more`}
    </span>
  )
}
