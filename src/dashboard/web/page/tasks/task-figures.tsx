import { Link } from 'wouter'
import type { JobState } from '../../../../job/state.js'
import type { TaskPage } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { Card, Grid } from '../../ui/card.js'
import { Figure } from '../../ui/facts.js'
import { tellCount } from '../../ui/format.js'
import { jobsLink } from '../../ui/jobs-link.js'
import { RateFigures } from '../../ui/rate-figures.js'
import { State } from '../../ui/state.js'
import css from './tasks.module.css'

/** How the task is now, and was in the range; and all its jobs by state. */
export function TaskFigures({ task }: { readonly task: Json<TaskPage> }) {
  const { name, open, states, rates, range, workers } = task
  return (
    <>
      <Grid least={140}>
        <Figure label="Open" value={tellCount(open)} note={`${tellCount(states.running)} running`} />
        <Figure
          label="Workers"
          value={tellCount(workers.length)}
          note={tellWorkers(workers)}
          tone={workers.length === 0 ? 'warning' : 'neutral'}
        />
        <RateFigures rates={rates} range={range} />
      </Grid>
      <Card>
        <ul className={css.states} aria-label="Its jobs by state">
          {order.map((state) => (
            <li key={state}>
              <Link href={jobsLink({ task: [name], state: [state], range: 'all' })}>
                <State state={state} /> <strong>{tellCount(states[state])}</strong>
              </Link>
            </li>
          ))}
        </ul>
      </Card>
    </>
  )
}

function tellWorkers(workers: readonly string[]): string {
  const [first = 'nobody runs it'] = workers
  return workers.length < 2 ? first : 'are there to run it'
}

const order: readonly JobState[] = [
  'scheduled',
  'queued',
  'running',
  'retrying',
  'succeeded',
  'failed',
  'cancelled',
  'expired',
]
