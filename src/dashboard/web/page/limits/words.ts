import type { LimitFigures } from '../../../api/contract.js'
import { tellCount } from '../../ui/format.js'

/** `10/s, 4 at once`; empty: none. */
export function tellLimits({ rateLimit, concurrency }: LimitFigures): string {
  return [
    ...(rateLimit === null ? [] : [rateLimit]),
    ...(concurrency === null ? [] : [`${tellCount(concurrency)} at once`]),
  ].join(', ')
}

/** What limits are of, as the API takes it. */
export type Scope = { readonly task: string } | { readonly queue: string }

export function nameOf(scope: Scope): string {
  return 'task' in scope ? `task ${scope.task}` : `queue ${scope.queue}`
}
