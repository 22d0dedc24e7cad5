import type { JobOptions } from '../../../../job/job.js'
import { tellDuration } from '../../ui/format.js'

/** `undefined`: the job says none of its own. */
export function tellBackoff(backoff: JobOptions['backoff']): string | undefined {
  if (!backoff) return undefined
  if (backoff.type === 'list') return backoff.delaysMs.map(tellDuration).join(', ')
  const first = tellDuration(backoff.delayMs)
  if (backoff.type === 'fixed') return `${first} each time`
  return `${first}, doubled each time up to ${tellDuration(backoff.maxMs)}`
}

export function tellTimeLimit(limit: JobOptions['timeLimit']): string | undefined {
  if (!limit) return undefined
  const { softMs, hardMs } = limit
  const parts = [
    ...(softMs === null ? [] : [`asked to stop after ${tellDuration(softMs)}`]),
    ...(hardMs === null ? [] : [`ended after ${tellDuration(hardMs)}`]),
  ]
  return parts.length === 0 ? 'none' : parts.join(', ')
}
