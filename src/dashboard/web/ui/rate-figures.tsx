import type { Range, Rates } from '../../api/contract.js'
import type { Json } from '../api/json.js'
import { Figure } from './facts.js'
import { tellDuration, tellPart, tellShort } from './format.js'
import { rangeWords, tellPerMinute } from './rate.js'

interface RateFiguresProps {
  readonly rates: Json<Rates>
  readonly range: Range
}

/** What happened in a range, in four figures: starts, failures, wait, run. */
export function RateFigures({
  rates: { started, succeeded, failed, retried, failureRate, wait, run },
  range,
}: RateFiguresProps) {
  return (
    <>
      <Figure
        label="Starts"
        value={tellPerMinute(started, range)}
        note={`${tellShort(started)} in the last ${rangeWords[range]}`}
      />
      <Figure
        label="Failed"
        value={failureRate === null ? '–' : tellPart(failureRate)}
        note={`${tellShort(failed + retried)} of ${tellShort(failed + retried + succeeded)} attempts`}
        tone={(failureRate ?? 0) >= worrying ? 'warning' : 'neutral'}
      />
      <Figure label="Wait, p50" value={tellMs(wait.p50Ms)} note={`p95 ${tellMs(wait.p95Ms)}`} />
      <Figure label="Run, p50" value={tellMs(run.p50Ms)} note={`p95 ${tellMs(run.p95Ms)}`} />
    </>
  )
}

/** From this part on somebody should look. */
const worrying = 0.1

function tellMs(ms: number | null): string {
  return ms === null ? '–' : tellDuration(ms)
}
