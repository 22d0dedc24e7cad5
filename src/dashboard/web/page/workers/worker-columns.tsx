import type { WorkerSummary } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { tellBytes, tellCount, tellDuration } from '../../ui/format.js'
import { Meter } from '../../ui/meter.js'
import { NameLink, NameLinks } from '../../ui/name-link.js'
import { State } from '../../ui/state.js'
import type { Column } from '../../ui/table.js'
import { None, Time } from '../../ui/time.js'
import { urgencies } from './condition.js'
import css from './workers.module.css'

export type WorkerRow = Json<WorkerSummary>

/** What the list says of each worker. */
export const workerColumns: readonly Column<WorkerRow>[] = [
  {
    id: 'name',
    title: 'Worker',
    narrow: 'title',
    value: ({ name }) => name,
    cell: ({ id, name, host, pid }) => (
      <span className={css.name}>
        {/* Of one name there may be several, one after the other. */}
        <NameLink kind="worker" name={id}>
          {name}
        </NameLink>
        <small title="Host and process">{`${host}:${pid}`}</small>
      </span>
    ),
  },
  {
    id: 'state',
    title: 'State',
    value: ({ state }) => urgencies[state],
    cell: ({ state }) => <State state={state} />,
  },
  { id: 'load', title: 'Load', isNumber: true, value: loadOf, cell: (worker) => <Load worker={worker} /> },
  {
    id: 'processed',
    title: 'Processed',
    isNumber: true,
    value: ({ stats }) => stats?.processed ?? -1,
    cell: ({ stats }) => (stats ? tellCount(stats.processed) : <None />),
  },
  {
    id: 'failed',
    title: 'Failed',
    isNumber: true,
    value: ({ stats }) => stats?.outcomes.failed ?? -1,
    cell: ({ stats }) => (stats ? tellCount(stats.outcomes.failed ?? 0) : <None />),
  },
  {
    id: 'memory',
    title: 'Memory',
    isNumber: true,
    value: ({ stats }) => stats?.memory.rss ?? -1,
    cell: ({ stats }) => (stats ? tellBytes(stats.memory.rss) : <None />),
  },
  {
    id: 'delay',
    title: 'Loop delay',
    isNumber: true,
    value: ({ stats }) => stats?.loopDelayMs ?? -1,
    cell: ({ stats }) => (stats ? tellDuration(stats.loopDelayMs) : <None />),
  },
  {
    id: 'queues',
    title: 'Queues',
    isWide: true,
    cell: ({ queues }) => <NameLinks kind="queue" names={queues} />,
  },
  {
    id: 'pool',
    title: 'Pool',
    value: ({ pool }) => pool,
    cell: ({ pool }) => pool,
  },
  {
    id: 'since',
    title: 'Since',
    value: ({ startedAt }) => new Date(startedAt).getTime(),
    cell: ({ startedAt, endedAt }) => (
      <span className={css.since}>
        <Time at={startedAt} />
        {endedAt !== null && (
          <small>
            ended <Time at={endedAt} />
          </small>
        )}
      </span>
    ),
  },
]

function loadOf({ stats, concurrency }: WorkerRow): number {
  return (stats?.running ?? 0) / Math.max(1, concurrency)
}

/** Jobs that run, of those that may. */
export function Load({ worker }: { readonly worker: WorkerRow }) {
  const { stats, concurrency, endedAt } = worker
  if (endedAt !== null) return <None />
  return (
    <Meter part={loadOf(worker)}>
      {tellCount(stats?.running ?? 0)} / {tellCount(concurrency)}
    </Meter>
  )
}
