import { Link } from 'wouter'
import type { QueuePage } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { Card } from '../../ui/card.js'
import { Empty } from '../../ui/empty.js'
import { tellCount } from '../../ui/format.js'
import { jobsLink } from '../../ui/jobs-link.js'
import { CutLink } from '../../ui/name-link.js'
import { Table } from '../../ui/table.js'

/** Tasks with jobs here, or that name this queue. */
export function QueueTasks({ queue: { name, tasks } }: { readonly queue: Json<QueuePage> }) {
  return (
    <Card title="Tasks" isFlush>
      <Table
        label={`Tasks of queue ${name}`}
        rows={tasks}
        idOf={(task) => task.name}
        columns={[
          {
            id: 'name',
            title: 'Task',
            narrow: 'title',
            cell: (task) => <CutLink kind="task" name={task.name} room="long" />,
          },
          {
            id: 'open',
            title: 'Open jobs',
            isNumber: true,
            cell: (task) =>
              task.open === 0 ? (
                '0'
              ) : (
                <Link
                  href={jobsLink({ queue: [name], task: [task.name], query: 'state:open', range: 'all' })}
                >
                  {tellCount(task.open)}
                </Link>
              ),
          },
        ]}
        empty={<Empty title="No task has jobs in this queue." />}
      />
    </Card>
  )
}
