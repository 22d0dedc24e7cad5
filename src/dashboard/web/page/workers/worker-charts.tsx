import { Card, Grid, Wide } from '../../ui/card.js'
import { Chart } from '../../ui/chart.js'
import { timeSteps } from '../../ui/chart-data.js'
import { tellBytes, tellDuration, tellPart, tellShort } from '../../ui/format.js'
import type { WorkerData } from './worker-page.js'

/** What it said of itself over time. */
export function WorkerCharts({ series }: Pick<WorkerData, 'series'>) {
  const { from, stepMs } = series
  const time = { from, stepMs }
  return (
    <Card title="Over time" note="The highest of each step. Gaps: it said nothing.">
      <Grid least={320}>
        <Wide>
          <Chart
            {...time}
            title="Jobs at once"
            tell={tellShort}
            lines={[
              { label: 'running', color: 'running', values: series.running, kind: 'area' },
              { label: 'places', color: 'queued', values: series.concurrency, kind: 'dashed' },
            ]}
          />
        </Wide>
        <Chart
          {...time}
          title="Attempts that ended"
          tell={tellShort}
          lines={[{ label: 'processed', color: 'chart-1', values: series.processed, kind: 'area' }]}
        />
        <Chart
          {...time}
          title="Memory"
          tell={tellBytes}
          lines={[{ label: 'resident', color: 'chart-2', values: series.memory }]}
        />
        <Chart
          {...time}
          title="Event loop delay"
          tell={tellDuration}
          steps={timeSteps}
          lines={[{ label: 'p99', color: 'chart-3', values: series.loopDelayMs }]}
        />
        <Chart
          {...time}
          title="CPU, of one core"
          least={0.5}
          tell={tellPart}
          lines={[{ label: 'used', color: 'chart-5', values: series.cpu }]}
        />
      </Grid>
    </Card>
  )
}
