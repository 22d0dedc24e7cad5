import type { QueuePage } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { Grid } from '../../ui/card.js'
import { Figure } from '../../ui/facts.js'
import { tellCount, tellDuration } from '../../ui/format.js'
import { RateFigures } from '../../ui/rate-figures.js'
import { isUnserved } from './standing.js'

/** How the queue is now, and was in the range. */
export function QueueFigures({ queue }: { readonly queue: Json<QueuePage> }) {
  const { waiting, running, delayed, oldestMs, rates, range } = queue
  return (
    <Grid least={140}>
      <Figure
        label="Waiting"
        value={tellCount(waiting)}
        note={oldestMs === null ? 'none is due' : `the oldest for ${tellDuration(oldestMs)}`}
        tone={isUnserved(queue) ? 'danger' : 'neutral'}
      />
      <Figure label="Running" value={tellCount(running)} note={`${tellCount(delayed)} delayed`} />
      <RateFigures rates={rates} range={range} />
    </Grid>
  )
}
