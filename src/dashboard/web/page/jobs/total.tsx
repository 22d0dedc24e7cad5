import { tellCount } from '../../ui/format.js'
import { useCount } from './use-count.js'
import type { JobsView } from './view.js'
import { isEverything, type toFilter } from './view.js'

interface TotalProps {
  readonly view: JobsView
  readonly filter: ReturnType<typeof toFilter>
  /** Where counters know it; `null`: they do not; `undefined`: they were not asked yet. */
  readonly exact: number | null | undefined
}

/** How many match: exactly where that is known at once, else as far as a count tells. */
export function Total({ view, filter, exact }: TotalProps) {
  const counted = useCount(filter, exact === null)
  const noun = isEverything(view) ? '' : ' match'
  if (exact !== undefined && exact !== null) return <>{tellJobs(exact, false) + noun}</>
  if (counted === undefined) return <>… jobs{noun}</>
  return <>{tellJobs(counted.count, counted.isMore) + noun}</>
}

export function tellJobs(count: number, isMore: boolean): string {
  if (count === 0 && !isMore) return 'No jobs'
  return `${tellCount(count)}${isMore ? '+' : ''} ${count === 1 && !isMore ? 'job' : 'jobs'}`
}
