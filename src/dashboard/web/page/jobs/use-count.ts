import type { JobsQuery } from '../../../api/contract.js'
import { useSeldom } from '../../api/use-seldom.js'

export interface Counted {
  readonly count: number
  readonly isMore: boolean
}

/** How many match, up to `most`. It costs more than a page. The list tells what is wrong with the same filter. */
export function useCount(query: JobsQuery, isWanted: boolean, most = 10_000): Counted | undefined {
  const { data, problem, isLoading } = useSeldom(
    'GET /job-count',
    isWanted ? { query: { ...query, most } } : undefined,
  )
  return isWanted && !isLoading && !problem ? data : undefined
}
