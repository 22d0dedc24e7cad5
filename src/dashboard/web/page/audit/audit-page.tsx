import { Link } from 'wouter'
import type { AuditLine } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { useApi } from '../../api/use-api.js'
import { useSearch } from '../../api/use-search.js'
import { Card } from '../../ui/card.js'
import { Empty } from '../../ui/empty.js'
import { ChoiceFilter, Filters } from '../../ui/filters.js'
import { NameFilter } from '../../ui/name-filter.js'
import { ProblemNote } from '../../ui/note.js'
import { Page } from '../../ui/page.js'
import { Pager } from '../../ui/pager.js'
import { type Column, Table } from '../../ui/table.js'
import { pauseMs, TextFilter } from '../../ui/text-filter.js'
import { None, Time } from '../../ui/time.js'
import { Waiting } from '../../ui/waiting.js'
import css from './audit.module.css'
import { Sentence } from './sentence.js'
import { auditVerbs } from './tell.js'
import { fromChoices, sinceChoices, tellAffected, tellFrom } from './words.js'

type Line = Json<AuditLine>

/** Who did what, when, from where, to how many. */
export default function AuditPage() {
  const search = useSearch()
  const [verb, by, from, since, before] = ['verb', 'by', 'from', 'since', 'before'].map(search.get)
  const { data, problem, isLoading } = useApi('GET /commands', {
    query: { verb, by, from, since, before, limit: 50 },
  })
  const used = [verb, by, from, since].filter(Boolean).length
  /** Another list begins at its beginning. */
  const change = (changes: Readonly<Record<string, string>>, isMore = false) =>
    search.set({ before: undefined, ...changes }, { isStep: !isMore })
  return (
    <Page title="Audit" note="What people did, and the app’s own code asked for. It is kept for 90 days.">
      <Filters used={used} onClear={() => change({ verb: '', by: '', from: '', since: '' })}>
        <NameFilter
          label="What"
          chosen={verb ? [verb] : []}
          names={auditVerbs}
          onChange={([next = '']) => change({ verb: next })}
        />
        <TextFilter
          label="Who"
          value={by ?? ''}
          names={[]}
          afterMs={pauseMs}
          onChange={(next, isMore) => change({ by: next }, isMore)}
        />
        <ChoiceFilter
          label="From where"
          value={fromChoices.find(({ value }) => value === from)?.value ?? ''}
          options={fromChoices}
          isUsed={from !== ''}
          onChange={(next) => change({ from: next })}
        />
        <ChoiceFilter
          label="When"
          value={sinceChoices.find(({ value }) => value === since)?.value ?? ''}
          options={sinceChoices}
          isUsed={since !== ''}
          onChange={(next) => change({ since: next })}
        />
      </Filters>
      <ProblemNote problem={problem} />
      <Card isFlush>
        {data ? (
          <div aria-busy={isLoading}>
            <Table
              label="Audit"
              rows={data.commands}
              columns={columns}
              idOf={({ id }) => id}
              empty={<Nothing isFiltered={used > 0} />}
            />
          </div>
        ) : (
          !problem && <Waiting height={420} />
        )}
      </Card>
      {data && (data.next !== null || before) && (
        <Pager
          sort="newest"
          cursor={before ?? ''}
          next={data.next}
          hrefOf={(place) => search.hrefWith({ before: place })}
        />
      )}
    </Page>
  )
}

const columns: readonly Column<Line>[] = [
  {
    id: 'when',
    title: 'When',
    cell: ({ id, at }) => (
      <Link href={`/audit/${id}`} className={css.when}>
        <Time at={at} />
      </Link>
    ),
  },
  { id: 'who', title: 'Who', cell: ({ by }) => <Who by={by} /> },
  { id: 'what', title: 'What', narrow: 'title', cell: (line) => <Sentence line={line} /> },
  {
    id: 'came',
    title: 'To how many',
    cell: (line) => <span className={css.count}>{tellAffected(line) || <None />}</span>,
  },
  { id: 'from', title: 'From', cell: ({ from }) => <span className={css.from}>{tellFrom(from)}</span> },
]

function Who({ by }: Pick<Line, 'by'>) {
  return (
    <span className={css.who} title={by ?? undefined}>
      {by ?? 'somebody'}
    </span>
  )
}

function Nothing({ isFiltered }: { readonly isFiltered: boolean }) {
  if (isFiltered)
    return (
      <Empty title="Nothing that fits was done.">
        Take a filter away, or widen the time. Lines go after 90 days.
      </Empty>
    )
  return (
    <Empty title="Nobody has done anything yet.">
      What you do here stands in this list: a queue that is paused, jobs that are retried, a worker that is
      shut down. So does what is done on the command line:
      <pre>npx celeriac control pause mail{'\n'}npx celeriac jobs retry --state failed</pre>
    </Empty>
  )
}
