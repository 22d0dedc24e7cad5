import type { QueuePage } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { Grid } from '../../ui/card.js'
import { Figure } from '../../ui/facts.js'
import { tellCount, tellDuration, tellPart, tellShort } from '../../ui/format.js'
import { tellPerMinute } from '../../ui/rate.js'
import { isUnserved } from './standing.js'

/** How the queue is now, and was in the range. */
export function QueueFigures({ queue }: { readonly queue: Json<QueuePage> }) {
  const { waiting, running, delayed, oldestMs, rates, range } = queue
  return (
    <Grid least={160}>
      <Figure
        label="Waiting"
        value={tellCount(waiting)}
        note={oldestMs === null ? 'none is due' : `the oldest for ${tellDuration(oldestMs)}`}
        tone={isUnserved(queue) ? 'danger' : 'neutral'}
      />
      <Figure label="Running" value={tellCount(running)} note={`${tellCount(delayed)} delayed`} />
      <Figure
        label="Starts"
        value={tellPerMinute(rates.started, range)}
        note={`${tellShort(rates.started)} in the range`}
      />
      <Figure
        label="Failed"
        value={rates.failureRate === null ? '–' : tellPart(rates.failureRate)}
        note={`${tellShort(rates.failed)} of ${tellShort(rates.failed + rates.succeeded)} jobs`}
        tone={(rates.failureRate ?? 0) >= 0.1 ? 'warning' : 'neutral'}
      />
      <Figure label="Wait, p50" value={tellMs(rates.wait.p50Ms)} note={`p95 ${tellMs(rates.wait.p95Ms)}`} />
      <Figure label="Run, p50" value={tellMs(rates.run.p50Ms)} note={`p95 ${tellMs(rates.run.p95Ms)}`} />
    </Grid>
  )
}

function tellMs(ms: number | null): string {
  return ms === null ? '–' : tellDuration(ms)
}
