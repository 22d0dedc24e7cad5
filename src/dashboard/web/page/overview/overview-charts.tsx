import { Card, Grid } from '../../ui/card.js'
import { Chart } from '../../ui/chart.js'
import { tellPart, tellShort } from '../../ui/format.js'
import { tellStep } from '../../ui/rate.js'
import { LatencyCharts } from '../../ui/series-charts.js'
import { failureRates } from './figures.js'
import type { OverviewData } from './overview-page.js'

/** How it went over time. */
export function OverviewCharts({ series }: Pick<OverviewData, 'series'>) {
  const time = { from: series.from, stepMs: series.stepMs }
  return (
    <Card title="Over time">
      <Grid least={320}>
        <Chart
          {...time}
          title={`Ended, by outcome, ${tellStep(series.stepMs)}`}
          tell={tellShort}
          lines={[
            { label: 'succeeded', color: 'succeeded', values: series.succeeded, kind: 'area' },
            { label: 'failed', color: 'failed', values: series.failed, kind: 'area' },
            { label: 'cancelled', color: 'cancelled', values: series.cancelled, kind: 'area' },
            { label: 'expired', color: 'expired', values: series.expired, kind: 'area' },
          ]}
        />
        <Chart
          {...time}
          title="Waiting and running"
          tell={tellShort}
          lines={[
            { label: 'waiting', color: 'queued', values: series.waiting },
            { label: 'running', color: 'running', values: series.running },
            { label: 'delayed', color: 'scheduled', values: series.delayed, kind: 'dashed' },
          ]}
        />
        <Chart
          {...time}
          title="Failure rate"
          tell={tellPart}
          least={0.05}
          lines={[{ label: 'failed', color: 'failed', values: failureRates(series) }]}
        />
        <LatencyCharts series={series} />
        <Chart
          {...time}
          title={`Came in and began, ${tellStep(series.stepMs)}`}
          tell={tellShort}
          lines={[
            { label: 'enqueued', color: 'chart-5', values: series.enqueued },
            { label: 'started', color: 'chart-1', values: series.started, kind: 'dashed' },
          ]}
        />
      </Grid>
    </Card>
  )
}
