import type { QueueSummary } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'

type Standing = Pick<Json<QueueSummary>, 'servedBy' | 'isPaused' | 'waiting' | 'delayed' | 'oldestMs'>

/** Whether jobs wait that nobody will start. */
export function isUnserved({ servedBy, isPaused, waiting }: Standing): boolean {
  return servedBy.length === 0 && !isPaused && waiting > 0
}

/** Whether its jobs go on only if somebody does something. */
export function needsSomebody(queue: Standing): boolean {
  return isUnserved(queue) || (queue.isPaused && queue.waiting > 0)
}
