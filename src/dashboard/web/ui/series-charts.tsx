import type { Series } from '../../api/contract.js'
import type { Json } from '../api/json.js'
import { Card, Grid } from './card.js'
import { Chart } from './chart.js'
import { timeSteps } from './chart-data.js'
import { tellDuration, tellShort } from './format.js'
import { tellStep } from './rate.js'

/** Depth, throughput and latency over time, of a task or a queue. */
export function SeriesCharts({ series }: { readonly series: Json<Series> }) {
  const time = { from: series.from, stepMs: series.stepMs }
  return (
    <Card title="Over time">
      <Grid least={440}>
        <Chart
          {...time}
          title="Depth: waiting and delayed, stacked; running"
          tell={tellShort}
          lines={[
            { label: 'waiting', color: 'queued', values: series.waiting, kind: 'area' },
            { label: 'delayed', color: 'scheduled', values: series.delayed, kind: 'area' },
            { label: 'running', color: 'running', values: series.running },
          ]}
        />
        <Chart
          {...time}
          title={`Throughput: ended, and enqueued, ${tellStep(series.stepMs)}`}
          tell={tellShort}
          lines={[
            { label: 'succeeded', color: 'succeeded', values: series.succeeded, kind: 'area' },
            { label: 'failed', color: 'failed', values: series.failed, kind: 'area' },
            { label: 'enqueued', color: 'queued', values: series.enqueued, kind: 'dashed' },
          ]}
        />
        <LatencyCharts series={series} />
      </Grid>
    </Card>
  )
}

/** How long jobs waited and ran: two charts. */
export function LatencyCharts({ series }: { readonly series: Json<Series> }) {
  const time = { from: series.from, stepMs: series.stepMs }
  return (
    <>
      <Chart
        {...time}
        title="Wait: from due to its start"
        tell={tellDuration}
        steps={timeSteps}
        lines={[
          { label: 'p50', color: 'chart-2', values: series.waitP50Ms },
          { label: 'p95', color: 'chart-3', values: series.waitP95Ms, kind: 'dashed' },
        ]}
      />
      <Chart
        {...time}
        title="Run: of attempts"
        tell={tellDuration}
        steps={timeSteps}
        lines={[
          { label: 'p50', color: 'chart-2', values: series.runP50Ms },
          { label: 'p95', color: 'chart-3', values: series.runP95Ms, kind: 'dashed' },
        ]}
      />
    </>
  )
}
