import { shellWord } from '../../../../job/shell-word.js'
import type { WorkerSummary } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { useApi } from '../../api/use-api.js'
import { Card } from '../../ui/card.js'
import { Copy } from '../../ui/copy.js'
import { Empty } from '../../ui/empty.js'
import { NameLink } from '../../ui/name-link.js'
import { State } from '../../ui/state.js'
import { type Column, Table } from '../../ui/table.js'
import { None, Time } from '../../ui/time.js'
import { Waiting } from '../../ui/waiting.js'

type Worker = Json<WorkerSummary>

/** Who serves the queue now. */
export function QueueWorkers({ queue }: { readonly queue: string }) {
  const { data } = useApi('GET /workers', {})
  const workers = data?.workers.filter(({ state, queues }) => isThere(state) && queues.includes(queue))
  return (
    <Card title="Workers" isFlush>
      {workers ? (
        <Table
          label={`Workers that serve queue ${queue}`}
          rows={workers}
          columns={columns}
          idOf={({ id }) => id}
          empty={<Nobody queue={queue} />}
        />
      ) : (
        <Waiting height={120} />
      )}
    </Card>
  )
}

function isThere(state: Worker['state']): boolean {
  return state !== 'lost' && state !== 'stopped'
}

const columns: readonly Column<Worker>[] = [
  {
    id: 'name',
    title: 'Worker',
    narrow: 'title',
    cell: ({ name }) => <NameLink kind="worker" name={name} />,
  },
  { id: 'state', title: 'State', cell: ({ state }) => <State state={state} /> },
  {
    id: 'load',
    title: 'Runs',
    isNumber: true,
    cell: ({ stats, concurrency }) => (stats ? `${stats.running} of ${concurrency}` : <None />),
  },
  { id: 'since', title: 'Since', cell: ({ startedAt }) => <Time at={startedAt} /> },
]

function Nobody({ queue }: { readonly queue: string }) {
  const command = `npx celeriac worker -Q ${shellWord(queue)}`
  return (
    <Empty title="Nobody serves this queue.">
      Jobs wait in it until a worker does. Start one:
      <pre>{command}</pre>
      <p>
        <Copy text={command} label="Copy the command" />
      </p>
    </Empty>
  )
}
