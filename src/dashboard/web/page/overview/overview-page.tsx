import type { Overview } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { useApi, useOutage } from '../../api/use-api.js'
import { useRange } from '../../api/use-search.js'
import { Grid } from '../../ui/card.js'
import { ProblemNote } from '../../ui/note.js'
import { Page } from '../../ui/page.js'
import { RangeChoice } from '../../ui/range-choice.js'
import { Waiting } from '../../ui/waiting.js'
import { AttentionList } from './attention-list.js'
import { endedIn, totalOf } from './figures.js'
import { FirstSteps } from './first-steps.js'
import { OverviewCharts } from './overview-charts.js'
import { OverviewFigures } from './overview-figures.js'
import { OverviewQueues } from './overview-queues.js'
import { OverviewWorkers } from './overview-workers.js'
import { StateLinks } from './state-links.js'

export type OverviewData = Json<Overview>

/** How everything is. What needs somebody comes first. */
export default function OverviewPage() {
  const [range] = useRange()
  const { data, problem } = useApi('GET /overview', { query: { range } })
  return (
    <Page title="Overview" aside={<RangeChoice />}>
      <ProblemNote problem={problem} />
      {data ? <Known overview={data} /> : !problem && <Waiting height={820} />}
    </Page>
  )
}

function Known({ overview }: { readonly overview: OverviewData }) {
  const { attention, states, rates, queues, workers } = overview
  const live = workers.filter(({ endedAt }) => endedAt === null).length
  const isHeardOf = useOutage() === undefined
  const isNew = totalOf(states) === 0 && rates.enqueued === 0 && endedIn(rates) === 0
  return (
    <>
      {(isHeardOf || attention.length > 0) && (
        <AttentionList problems={attention} live={live} queues={queues.length} />
      )}
      {isNew ? <FirstSteps isServed={live > 0} /> : <Figures overview={overview} />}
      {(!isNew || live > 0) && (
        <Grid least={440}>
          <OverviewQueues queues={queues} />
          <OverviewWorkers workers={workers} />
        </Grid>
      )}
    </>
  )
}

function Figures({ overview }: { readonly overview: OverviewData }) {
  return (
    <>
      <OverviewFigures overview={overview} />
      <StateLinks counts={overview.states} />
      <OverviewCharts series={overview.series} />
    </>
  )
}
