import { Link } from 'wouter'
import type { JobState } from '../../../../job/state.js'
import type { StateCounts } from '../../../api/contract.js'
import { tellCount } from '../../ui/format.js'
import { jobsLink } from '../../ui/jobs-link.js'
import { State } from '../../ui/state.js'
import css from './overview.module.css'

const states = [
  'queued',
  'running',
  'scheduled',
  'retrying',
  'succeeded',
  'failed',
  'cancelled',
  'expired',
] as const satisfies JobState[]

/** All jobs that the store holds, by state; each leads to the list of these. */
export function StateLinks({ counts }: { readonly counts: StateCounts }) {
  return (
    <ul className={css.states} aria-label="Jobs by state">
      {states.map((state) => (
        <li key={state}>
          <Link href={jobsLink({ state: [state], range: 'all' })}>
            <State state={state} /> <strong>{tellCount(counts[state])}</strong>
          </Link>
        </li>
      ))}
    </ul>
  )
}
