import { Link } from 'wouter'
import type { AskedOne, AuditPage } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { useApi } from '../../api/use-api.js'
import { Card } from '../../ui/card.js'
import { Empty } from '../../ui/empty.js'
import { Facts } from '../../ui/facts.js'
import { JsonView } from '../../ui/json.js'
import { ProblemNote } from '../../ui/note.js'
import { OperationProgress } from '../../ui/operation.js'
import { Page } from '../../ui/page.js'
import { Badge } from '../../ui/state.js'
import { type Column, Table } from '../../ui/table.js'
import { None, Time } from '../../ui/time.js'
import { Waiting } from '../../ui/waiting.js'
import css from './audit.module.css'
import { Sentence } from './sentence.js'
import { isAskedOfWorkers, sentenceText } from './tell.js'
import { tellFrom, tellSaid, tellWorkers } from './words.js'

/** One line of the audit: what was asked, and what came of it. */
export default function AuditLinePage({ params: { id } }: { readonly params: { readonly id: string } }) {
  const { data, problem } = useApi('GET /commands/:id', { params: { id } })
  const line = data?.id === id ? data : undefined
  const who = line?.by ?? 'Somebody'
  return (
    <Page
      title={line ? `${who} ${sentenceText(line)}` : 'Audit'}
      head={
        line && (
          <>
            {who} <Sentence line={line} />
          </>
        )
      }
      note={<Link href="/audit">Audit</Link>}
    >
      <ProblemNote problem={problem} />
      {line ? <Line line={line} /> : !problem && <Waiting height={320} />}
    </Page>
  )
}

function Line({ line }: { readonly line: Json<AuditPage> }) {
  const { id, verb, by, from, at, args, workers, operation, outcome } = line
  return (
    <>
      <Card>
        <Facts
          facts={[
            ['Who', by ?? <None />],
            ['When', <Time key="at" at={at} />],
            ['From', tellFrom(from)],
            ['Verb', <code key="verb">{verb}</code>],
            ['Id', <code key="id">{id}</code>],
          ]}
        />
      </Card>
      {operation && <OperationProgress line={line} />}
      {(workers.length > 0 || isAskedOfWorkers(verb)) && (
        <Card title="Workers" note={tellWorkers(workers)} isFlush>
          <Table
            label="Workers that were asked"
            rows={workers}
            columns={columns}
            idOf={(worker) => worker.id}
            empty={
              <Empty title="No worker was asked.">
                None was there. What was set for a queue or a task holds all the same, and workers that start
                later begin with it.
              </Empty>
            }
          />
        </Card>
      )}
      <Card title="Arguments" note="As they were given. Payloads are never among them.">
        <JsonView label="arguments" value={args} />
      </Card>
      {outcome !== null && outcome !== undefined && (
        <Card title="What came of it">
          <JsonView label="outcome" value={outcome} />
        </Card>
      )}
    </>
  )
}

const tones = { replied: 'accent', refused: 'danger', silent: 'warning', asked: 'info' } as const

const columns: readonly Column<Json<AskedOne>>[] = [
  {
    id: 'worker',
    title: 'Worker',
    narrow: 'title',
    cell: ({ id, name }) => <Link href={`/workers/${encodeURIComponent(id)}`}>{name ?? id}</Link>,
  },
  { id: 'came', title: 'Answer', cell: ({ came }) => <Badge tone={tones[came]}>{came}</Badge> },
  {
    id: 'value',
    title: 'Said',
    cell: ({ came, value }) => <span className={css.reply}>{tellReply(came, value)}</span>,
  },
  { id: 'at', title: 'When', cell: ({ at }) => <Time at={at} /> },
]

function tellReply(came: AskedOne['came'], value: unknown): string {
  if (came === 'silent') return 'It did not hear of it in time, and does nothing of it any more.'
  if (came === 'asked') return 'It may reply yet.'
  return tellSaid(value)
}
