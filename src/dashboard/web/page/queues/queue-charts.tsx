import type { Series } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { Card, Grid } from '../../ui/card.js'
import { Chart } from '../../ui/chart.js'
import { tellDuration, tellShort } from '../../ui/format.js'

/** Depth, throughput and latency over time. */
export function QueueCharts({ series }: { readonly series: Json<Series> }) {
  const time = { from: series.from, stepMs: series.stepMs }
  return (
    <Grid least={440}>
      <Card title="Depth" note="Jobs at the end of each step.">
        <Chart
          title="Waiting and delayed, stacked; running"
          {...time}
          tell={tellShort}
          lines={[
            { label: 'waiting', color: 'queued', values: series.waiting, kind: 'area' },
            { label: 'delayed', color: 'scheduled', values: series.delayed, kind: 'area' },
            { label: 'running', color: 'running', values: series.running },
          ]}
        />
      </Card>
      <Card title="Throughput" note={`Jobs in each ${tellDuration(series.stepMs)}.`}>
        <Chart
          title="Enqueued, and ended"
          {...time}
          tell={tellShort}
          lines={[
            { label: 'succeeded', color: 'succeeded', values: series.succeeded, kind: 'area' },
            { label: 'failed', color: 'failed', values: series.failed, kind: 'area' },
            { label: 'enqueued', color: 'queued', values: series.enqueued, kind: 'dashed' },
          ]}
        />
      </Card>
      <Card title="Wait" note="From when a job was due to its start.">
        <Chart
          title="Time that half of them waited, and that 95 % did at most"
          {...time}
          tell={tellDuration}
          lines={[
            { label: 'p50', color: 'chart-1', values: series.waitP50Ms },
            { label: 'p95', color: 'chart-3', values: series.waitP95Ms },
          ]}
        />
      </Card>
      <Card title="Run" note="Of attempts.">
        <Chart
          title="Time that half of them took, and that 95 % did at most"
          {...time}
          tell={tellDuration}
          lines={[
            { label: 'p50', color: 'chart-1', values: series.runP50Ms },
            { label: 'p95', color: 'chart-3', values: series.runP95Ms },
          ]}
        />
      </Card>
    </Grid>
  )
}
