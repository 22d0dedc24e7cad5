import { Link } from 'wouter'
import type { Range, Rates, TaskSummary } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { tellCount, tellPart } from '../../ui/format.js'
import { jobsLink } from '../../ui/jobs-link.js'
import { Meter } from '../../ui/meter.js'
import { CutLink } from '../../ui/name-link.js'
import { Percentiles } from '../../ui/percentiles.js'
import { tellPerMinute } from '../../ui/rate.js'
import type { Column } from '../../ui/table.js'
import { None } from '../../ui/time.js'
import { standingOf } from './standing.js'
import { TaskName } from './task-name.js'

type Task = Json<TaskSummary>

export function taskColumns(range: Range): readonly Column<Task>[] {
  return [
    {
      id: 'name',
      title: 'Task',
      narrow: 'title',
      isRest: true,
      value: ({ name }) => name,
      cell: (task) => <TaskName name={task.name} standing={standingOf(task)} />,
    },
    {
      id: 'queue',
      title: 'Queue',
      value: ({ queue }) => queue ?? '',
      cell: ({ queue }) => (queue === null ? <None /> : <CutLink kind="queue" name={queue} />),
    },
    {
      id: 'workers',
      title: 'Workers',
      isNumber: true,
      narrow: 'hidden',
      value: ({ workers }) => workers.length,
      cell: ({ workers }) => <span title={workers.join(', ')}>{tellCount(workers.length)}</span>,
    },
    {
      id: 'open',
      title: 'Open',
      isNumber: true,
      value: ({ open }) => open,
      cell: (task) => <Open task={task} />,
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
      cell: ({ rates }) => <Failures rates={rates} />,
    },
    percentiles('run', 'Run p50 / p95', ({ run }) => run),
    { ...percentiles('wait', 'Wait p50 / p95', ({ wait }) => wait), narrow: 'hidden' },
  ]
}

function percentiles(
  id: string,
  title: string,
  of: (rates: Json<Rates>) => Json<Rates>['run'],
): Column<Task> {
  return {
    ...{ id, title, isNumber: true },
    value: ({ rates }) => of(rates).p95Ms ?? -1,
    cell: ({ rates }) => <Percentiles of={of(rates)} />,
  }
}

function Open({ task: { name, open } }: { readonly task: Task }) {
  if (open === 0) return '0'
  return <Link href={jobsLink({ task: [name], query: 'state:open', range: 'all' })}>{tellCount(open)}</Link>
}

/** From this part on somebody should look. */
const worrying = 0.1

function Failures({ rates: { failureRate, failed, retried } }: { readonly rates: Json<Rates> }) {
  if (failureRate === null) return <None />
  return (
    <span title={`${tellCount(failed + retried)} attempts; ${tellCount(failed)} jobs have failed`}>
      <Meter part={failureRate} tone={failureRate >= worrying ? 'danger' : 'neutral'}>
        {tellPart(failureRate)}
      </Meter>
    </span>
  )
}
