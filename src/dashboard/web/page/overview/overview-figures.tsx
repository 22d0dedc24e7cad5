import { Figure, Figures } from '../../ui/facts.js'
import { tellCount, tellDuration, tellPart, tellShort } from '../../ui/format.js'
import { jobsLink } from '../../ui/jobs-link.js'
import { tellPerMinute } from '../../ui/rate.js'
import { None } from '../../ui/time.js'
import { endedIn } from './figures.js'
import type { OverviewData } from './overview-page.js'

/** The part of failures from which a figure stands out. */
const alarming = 0.1

/** How much there is, and how it goes, at a glance. Each leads to the jobs that it counts. */
export function OverviewFigures({ overview }: { readonly overview: OverviewData }) {
  const { states, rates, range } = overview
  const delayed = states.scheduled + states.retrying
  return (
    <Figures columns={4}>
      <Figure
        label="Running"
        value={tellShort(states.running)}
        note={`${tellCount(rates.started)} began`}
        href={jobsLink({ state: ['running'], range: 'all' })}
      />
      <Figure
        label="Waiting"
        value={tellShort(states.queued)}
        note={`${tellCount(rates.enqueued)} came in`}
        href={jobsLink({ state: ['queued'], range: 'all' })}
      />
      <Figure
        label="Delayed"
        value={tellShort(delayed)}
        note={`${tellShort(states.scheduled)} scheduled, ${tellShort(states.retrying)} retrying`}
        href={jobsLink({ state: ['scheduled', 'retrying'], range: 'all' })}
      />
      <Figure
        label="Succeeded"
        value={tellShort(rates.succeeded)}
        note={`${tellShort(rates.cancelled + rates.expired)} cancelled or expired`}
        href={jobsLink({ state: ['succeeded'], range })}
      />
      <Figure
        label="Failed"
        value={tellShort(rates.failed)}
        note={rates.failureRate === null ? 'none ended' : `${tellPart(rates.failureRate)} of attempts`}
        tone={(rates.failureRate ?? 0) >= alarming ? 'danger' : 'neutral'}
        href={jobsLink({ state: ['failed'], range })}
      />
      <Figure
        label="Throughput"
        value={tellPerMinute(endedIn(rates), range)}
        note={`${tellCount(endedIn(rates))} ended`}
      />
      <Figure label="Wait" value={<Middle ms={rates.wait.p50Ms} />} note={<Most ms={rates.wait.p95Ms} />} />
      <Figure label="Run" value={<Middle ms={rates.run.p50Ms} />} note={<Most ms={rates.run.p95Ms} />} />
    </Figures>
  )
}

interface TimeProps {
  readonly ms: number | null
}

function Middle({ ms }: TimeProps) {
  return ms === null ? <None /> : tellDuration(ms)
}

function Most({ ms }: TimeProps) {
  return ms === null ? 'nothing was measured' : `median; p95 ${tellDuration(ms)}`
}
