import { useApi } from '../../api/use-api.js'
import { useRange } from '../../api/use-search.js'
import { Card, Grid } from '../../ui/card.js'
import { Chart } from '../../ui/chart.js'
import { tellShort } from '../../ui/format.js'
import { ProblemNote } from '../../ui/note.js'
import { Page } from '../../ui/page.js'
import { RangeChoice } from '../../ui/range-choice.js'
import { Waiting } from '../../ui/waiting.js'

export default function OverviewPage() {
  const [range] = useRange()
  const { data, problem } = useApi('GET /overview', { query: { range } })
  return (
    <Page title="Overview" aside={<RangeChoice />}>
      <ProblemNote problem={problem} />
      {data ? (
        <Grid least={440}>
          <Card title="Jobs">
            <Chart
              title="Ended"
              from={data.series.from}
              stepMs={data.series.stepMs}
              tell={tellShort}
              lines={[
                { label: 'succeeded', color: 'succeeded', values: data.series.succeeded, kind: 'area' },
                { label: 'failed', color: 'failed', values: data.series.failed, kind: 'area' },
              ]}
            />
          </Card>
        </Grid>
      ) : (
        <Waiting height={420} />
      )}
    </Page>
  )
}
