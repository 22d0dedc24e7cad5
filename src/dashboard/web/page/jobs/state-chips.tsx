import type { JobState } from '../../../../job/state.js'
import type { StateCounts } from '../../../api/contract.js'
import { tellCount, tellShort } from '../../ui/format.js'
import { State } from '../../ui/state.js'
import css from './state-chips.module.css'
import { jobStates } from './view.js'

interface StateChipsProps {
  /** Of the tasks and queues that are asked for. */
  readonly counts: StateCounts | undefined
  readonly chosen: readonly JobState[]
  onChange(states: readonly JobState[]): void
}

/** One chip a state, with how many there are. None chosen means all. */
export function StateChips({ counts, chosen, onChange }: StateChipsProps) {
  const all = counts && Object.values(counts).reduce((sum, each) => sum + each, 0)
  const toggle = (state: JobState) =>
    onChange(chosen.includes(state) ? chosen.filter((each) => each !== state) : [...chosen, state])
  return (
    <fieldset className={css.chips}>
      <legend className="hidden-but-read">States</legend>
      <button
        type="button"
        className={css.chip}
        aria-pressed={chosen.length === 0}
        onClick={() => onChange([])}
      >
        all <Count count={all} />
      </button>
      {jobStates.map((state) => (
        <button
          key={state}
          type="button"
          className={css.chip}
          aria-pressed={chosen.includes(state)}
          onClick={() => toggle(state)}
        >
          <State state={state} /> <Count count={counts?.[state]} />
        </button>
      ))}
    </fieldset>
  )
}

function Count({ count }: { readonly count: number | undefined }) {
  if (count === undefined) return <span className={css.count}>–</span>
  return (
    <span className={css.count} title={tellCount(count)}>
      {tellShort(count)}
    </span>
  )
}
