import { Link } from 'wouter'
import { Card } from '../../ui/card.js'
import { tellBytes, tellCount } from '../../ui/format.js'
import { Meter } from '../../ui/meter.js'
import { NameLink } from '../../ui/name-link.js'
import { State } from '../../ui/state.js'
import { type Column, Table } from '../../ui/table.js'
import { None } from '../../ui/time.js'
import { NoWorkers } from '../workers/no-workers.js'
import type { OverviewData } from './overview-page.js'
import { allOf } from './overview-queues.js'

type Worker = OverviewData['workers'][number]

const most = 10

/** Who works, the busiest first; and who was lost. */
export function OverviewWorkers({ workers }: { readonly workers: readonly Worker[] }) {
  const shown = [...workers].sort((a, b) => trouble(b) - trouble(a) || loadOf(b) - loadOf(a)).slice(0, most)
  return (
    <Card isFlush title="Workers" aside={<Link href="/workers">{allOf(workers.length, most)}</Link>}>
      <Table
        label="Workers"
        rows={shown}
        columns={columns}
        idOf={({ id }) => id}
        empty={<NoWorkers shown="live" isFirst={false} />}
      />
    </Card>
  )
}

function trouble({ state }: Worker): number {
  return state === 'ok' ? 0 : 1
}

function loadOf({ stats, concurrency }: Worker): number {
  return (stats?.running ?? 0) / Math.max(1, concurrency)
}

const columns: readonly Column<Worker>[] = [
  {
    id: 'name',
    title: 'Worker',
    narrow: 'title',
    cell: ({ id, name }) => (
      <NameLink kind="worker" name={id}>
        {name}
      </NameLink>
    ),
  },
  { id: 'state', title: 'State', cell: ({ state }) => <State state={state} /> },
  {
    id: 'load',
    title: 'Load',
    isNumber: true,
    cell: (worker) =>
      worker.endedAt === null ? (
        <Meter part={loadOf(worker)}>
          {tellCount(worker.stats?.running ?? 0)} / {tellCount(worker.concurrency)}
        </Meter>
      ) : (
        <None />
      ),
  },
  {
    id: 'memory',
    title: 'Memory',
    isNumber: true,
    cell: ({ stats }) => (stats ? tellBytes(stats.memory.rss) : <None />),
  },
]
