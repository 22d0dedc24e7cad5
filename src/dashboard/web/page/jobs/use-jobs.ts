import { useMemo, useRef } from 'react'
import type { JobsPage } from '../../../api/contract.js'
import { addressOf } from '../../api/address.js'
import type { Json } from '../../api/json.js'
import { type Shown, useApi } from '../../api/use-api.js'
import { useSeldom } from '../../api/use-seldom.js'
import { isAskable, isIndexed, type JobsView, toFilter } from './view.js'

const searchMs = 15_000

/**
 * The page of jobs that the view means: as it changes, where an index leads to them; else, for it takes a search, now and
 * then. While another is asked for, the one before it.
 */
export function useJobs(view: JobsView): Shown<Json<JobsPage>> & { readonly key: string } {
  const asked = useMemo(() => {
    const { sort, size, cursor } = view
    return { query: { ...toFilter(view), sort, limit: size, values: 'short' as const, cursor } }
  }, [view])
  const isLive = isIndexed(view)
  const isAsked = isAskable(view)
  const live = useApi('GET /jobs', isLive ? asked : undefined)
  const found = useSeldom('GET /jobs', isLive || !isAsked ? undefined : asked, searchMs)
  const shown = isLive ? live : found
  const last = useRef<Json<JobsPage>>(undefined)
  if (!shown.isLoading && shown.data && !shown.problem) last.current = shown.data
  return { ...shown, data: last.current, key: addressOf('GET /jobs', asked) }
}
