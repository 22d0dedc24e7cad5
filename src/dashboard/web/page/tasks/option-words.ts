import type { Backoff, TaskPage } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { tellCount, tellDuration, tellPart } from '../../ui/format.js'

/** `exponential from 1.0 s, at most 10 min, random by 100 %` */
export function tellBackoff(backoff: Json<Backoff> | null): string {
  if (backoff === null) return 'not known here'
  const { type, delaysMs, maxMs, jitter } = backoff
  const delays = delaysMs.map(tellDuration).join(', ')
  const wait = {
    fixed: `${delays} each time`,
    exponential: `from ${delays}, doubled each time`,
    list: delays,
    function: 'a function of the app decides',
  }[type]
  const most = type === 'exponential' ? `, at most ${tellDuration(maxMs)}` : ''
  return `${wait}${most}${jitter > 0 ? `, shorter by up to ${tellPart(jitter)} at random` : ''}`
}

export function tellUnique(unique: string | null): string {
  if (unique === null) return 'no: as many as are enqueued'
  return Object.hasOwn(uniqueWords, unique) ? (uniqueWords[unique] ?? unique) : unique
}

const uniqueWords: Readonly<Record<string, string>> = {
  queued: 'one job with the same key while it waits',
  running: 'one job with the same key while it waits or runs',
  window: 'one job with the same key in a while',
  debounce: 'one job for a burst of calls, the last',
}

/** How long finished jobs are kept: `succeeded 1 d, failed 7 d`. */
export function tellRetention(retention: Json<TaskPage>['retention']): string {
  const kept = Object.entries(retention)
  const ages = new Set(kept.map(([, ms]) => ms))
  if (kept.length === 0) return 'as the configuration says'
  if (ages.size === 1) return tellAge(kept[0]?.[1] ?? null)
  return kept.map(([state, ms]) => `${state} ${tellAge(ms)}`).join(', ')
}

function tellAge(ms: number | null): string {
  if (ms === null) return 'for ever'
  return ms === 0 ? 'not at all' : tellDuration(ms)
}

export function tellPriority(priority: number): string {
  return priority === 0 ? '0, which is first' : `${tellCount(priority)}; a larger one waits longer`
}
