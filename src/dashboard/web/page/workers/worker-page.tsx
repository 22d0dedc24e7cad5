import { useState } from 'react'
import { Link } from 'wouter'
import type { WorkerPage as Answer } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { useApi } from '../../api/use-api.js'
import { useName, useRange } from '../../api/use-search.js'
import { Empty } from '../../ui/empty.js'
import { jobsLink } from '../../ui/jobs-link.js'
import { Note, ProblemNote } from '../../ui/note.js'
import { Page } from '../../ui/page.js'
import { RangeChoice } from '../../ui/range-choice.js'
import { State } from '../../ui/state.js'
import { Time } from '../../ui/time.js'
import { Waiting } from '../../ui/waiting.js'
import { groupOf, meanings } from './condition.js'
import type { Draft, OrderVerb } from './order.js'
import { type Asked, OrderDialog } from './order-dialog.js'
import { OrderMenu } from './order-menu.js'
import { WorkerActive } from './worker-active.js'
import { WorkerCharts } from './worker-charts.js'
import { WorkerCode } from './worker-code.js'
import { WorkerFigures } from './worker-figures.js'
import { WorkerPool } from './worker-pool.js'

export type WorkerData = Json<Answer>
/** Opens the dialog of an order. */
export type Give = (verb: OrderVerb, draft?: Partial<Draft>) => void

export default function WorkerPage() {
  const id = useName()
  const [range] = useRange()
  const { data, problem, isLoading } = useApi('GET /workers/:id', { params: { id }, query: { range } })
  if (problem?.status === 404) return <Unknown name={id} />
  const isOther = data !== undefined && data.id !== id && data.name !== id
  const worker = isOther && (isLoading || problem) ? undefined : data
  return worker ? (
    <Known key={worker.id} worker={worker} problem={<ProblemNote problem={problem} />} />
  ) : (
    <Page title="Worker" head={id}>
      {problem ? <ProblemNote problem={problem} /> : <Waiting height={620} />}
    </Page>
  )
}

function Known({ worker, problem }: { readonly worker: WorkerData; readonly problem: React.ReactNode }) {
  const [asked, setAsked] = useState<Asked>()
  const isLive = groupOf(worker.state) === 'live'
  const give: Give = (verb, draft = {}) => setAsked({ verb, workers: [worker], draft })
  return (
    <Page
      title={worker.name}
      note={<Origin worker={worker} />}
      aside={
        <>
          <RangeChoice />
          {isLive && (
            <OrderMenu
              label={`More for ${worker.name}`}
              verbs={['log-level', 'reset', 'shutdown']}
              onPick={(verb) => give(verb, { level: worker.stats?.logLevel ?? 'info' })}
            >
              More
            </OrderMenu>
          )}
        </>
      }
    >
      {problem}
      <Condition worker={worker} />
      <WorkerFigures worker={worker} />
      <WorkerCharts series={worker.series} />
      <WorkerActive worker={worker} />
      <WorkerPool worker={worker} {...(isLive ? { give } : {})} />
      <WorkerCode worker={worker} />
      <OrderDialog asked={asked} onClose={() => setAsked(undefined)} />
    </Page>
  )
}

/** Where it runs, in a line. */
function Origin({ worker }: { readonly worker: WorkerData }) {
  const { state, host, pid, startedAt, endedAt } = worker
  return (
    <>
      <State state={state} /> · process {pid} on {host} · started <Time at={startedAt} />
      {endedAt !== null && (
        <>
          {' '}
          · {state} <Time at={endedAt} />
        </>
      )}
    </>
  )
}

/** What its state means, and what keeps it from its work. */
function Condition({ worker }: { readonly worker: WorkerData }) {
  const { id, state, stats, active, seenAt } = worker
  const meaning = meanings[state]
  const reasons = groupOf(state) === 'live' ? (stats?.reasons ?? []) : []
  if (meaning === undefined && reasons.length === 0) return null
  return (
    <Note
      kind={state === 'stopped' ? 'info' : state === 'lost' ? 'danger' : 'warning'}
      title={
        state === 'stopped' || state === 'lost' ? (
          <>
            This worker {state === 'lost' ? 'was lost' : 'has stopped'}. It was heard of last{' '}
            <Time at={seenAt} />.
          </>
        ) : (
          `This worker is ${state}.`
        )
      }
      aside={<Link href={jobsLink({ worker: [id], range: 'all' })}>Jobs that it ran last</Link>}
    >
      {meaning}
      {state === 'lost' &&
        active.length > 0 &&
        ' Some of what it ran has not been given back yet: see below.'}
      {reasons.map(({ code, message }) => (
        <div key={code}>{message}</div>
      ))}
    </Note>
  )
}

function Unknown({ name }: { readonly name: string }) {
  return (
    <Page title="No such worker">
      <Empty title={`The store remembers no worker "${name}".`}>
        Workers that ended are forgotten after some days. Those that live are on the list of{' '}
        <Link href="/workers">workers</Link>.
      </Empty>
    </Page>
  )
}
