import { Link } from 'wouter'
import { Card } from '../../ui/card.js'
import { Empty } from '../../ui/empty.js'
import { tellCount } from '../../ui/format.js'
import { jobsLink } from '../../ui/jobs-link.js'
import { CutLink } from '../../ui/name-link.js'
import { Badge, State } from '../../ui/state.js'
import { type Column, Table } from '../../ui/table.js'
import { Duration } from '../../ui/time.js'
import css from './overview.module.css'
import type { OverviewData } from './overview-page.js'

type Queue = OverviewData['queues'][number]

const most = 10

/** Where jobs wait, the longest queue first. */
export function OverviewQueues({ queues }: { readonly queues: readonly Queue[] }) {
  const shown = [...queues].sort(byDepth).slice(0, most)
  return (
    <Card isFlush title="Queues" aside={<Link href="/queues">{allOf(queues.length, most)}</Link>}>
      <Table
        label="Queues"
        rows={shown}
        columns={columns}
        idOf={({ name }) => name}
        empty={<Empty title="No queue is known yet.">The first job makes the first one.</Empty>}
      />
    </Card>
  )
}

function byDepth(a: Queue, b: Queue): number {
  return b.waiting - a.waiting || b.running - a.running || a.name.localeCompare(b.name)
}

export function allOf(count: number, shown: number): string {
  return count > shown ? `All ${tellCount(count)}` : 'More'
}

const columns: readonly Column<Queue>[] = [
  {
    id: 'name',
    title: 'Queue',
    narrow: 'title',
    cell: ({ name }) => <CutLink kind="queue" name={name} room="long" />,
  },
  {
    id: 'waiting',
    title: 'Waiting',
    isNumber: true,
    cell: ({ name, waiting }) => (
      <Link href={jobsLink({ queue: [name], state: ['queued'], range: 'all' })}>{tellCount(waiting)}</Link>
    ),
  },
  { id: 'oldest', title: 'Oldest', isNumber: true, cell: ({ oldestMs }) => <Duration ms={oldestMs} /> },
  { id: 'running', title: 'Running', isNumber: true, cell: ({ running }) => tellCount(running) },
  { id: 'served', title: 'Served by', cell: (queue) => <Served queue={queue} /> },
]

function Served({ queue: { servedBy, isPaused, waiting } }: { readonly queue: Queue }) {
  if (isPaused) return <State state="paused" />
  if (servedBy.length === 0) return <Badge tone={waiting > 0 ? 'danger' : 'neutral'}>nobody</Badge>
  return (
    <span className={css.served} title={servedBy.join(', ')}>
      {servedBy.length === 1 ? servedBy[0] : `${tellCount(servedBy.length)} workers`}
    </span>
  )
}
