import type { JobFilter } from '../../../../job/filter.js'
import type { JobState } from '../../../../job/state.js'
import type { JobsQuery } from '../../../api/contract.js'
import { toTime } from '../limits/limit-texts.js'

/** Which of a queue's waiting jobs are meant, as it is typed. Empty: all of them. */
export interface Purge {
  readonly task: string
  readonly owner: string
  readonly tag: string
  /** As `1h`. */
  readonly olderThan: string
}

export const wholeQueue: Purge = Object.freeze({ task: '', owner: '', tag: '', olderThan: '' })

/** What waits. Jobs that run are cancelled by hand: each is work that has begun. */
export const purged: readonly JobState[] = ['scheduled', 'queued', 'retrying']

export function isWholeQueue(purge: Purge): boolean {
  return Object.values(purge).every((text) => text.trim() === '')
}

export function ageFault({ olderThan }: Purge): string | undefined {
  if (olderThan.trim() === '' || toTime(olderThan) !== undefined) return undefined
  return 'A time, as 30m, 12h or 7d.'
}

/** For the action. */
export function purgeFilter(queue: string, { task, owner, tag, olderThan }: Purge): JobFilter {
  return {
    ...{ queue, state: purged },
    ...(task === '' ? {} : { task }),
    ...(owner.trim() === '' ? {} : { owner: owner.trim() }),
    ...(tag.trim() === '' ? {} : { tag: tag.trim() }),
    ...(olderThan.trim() === '' ? {} : { createdBefore: olderThan.trim() }),
  }
}

/** For the count: the same jobs. */
export function purgeQuery(queue: string, { task, owner, tag, olderThan }: Purge): JobsQuery {
  return {
    ...{ queue: [queue], state: [...purged] },
    ...(task === '' ? {} : { task: [task] }),
    ...(owner.trim() === '' ? {} : { owner: [owner.trim()] }),
    ...(tag.trim() === '' ? {} : { tag: [tag.trim()] }),
    ...(olderThan.trim() === '' ? {} : { createdBefore: olderThan.trim() }),
  }
}
