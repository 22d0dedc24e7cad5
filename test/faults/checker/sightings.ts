import { type ClientEvent, isEnd } from './history.js'
import type { Trail } from './trail.js'
import type { Report } from './verdict.js'

type Sighting = Extract<ClientEvent, { kind: 'seen' | 'cancelled' | 'retried' }>

/** I7, while the client's log is read: after an end, nothing else is seen, unless an operator had the job begin anew. */
export function observe(trail: Trail, event: Sighting, report: Report): void {
  if (event.kind === 'retried') {
    trail.retried += 1
    trail.seenEnd = undefined
  } else if (event.kind === 'cancelled') observeCancel(trail, event.answer, report)
  else if (event.state === 'missing') trail.missing ||= trail.key !== undefined
  else observeState(trail, event.state, report)
}

function observeCancel(trail: Trail, answer: string, report: Report): void {
  if (answer === 'cancelled') observeState(trail, 'cancelled', report)
  else if (answer === 'finished') trail.seenEnd ??= 'ended'
  else if (answer === 'cancelling' && trail.seenEnd)
    report('I7', trail.id, `seen ${trail.seenEnd}, then it was running still when it was cancelled`)
}

function observeState(trail: Trail, state: string, report: Report): void {
  const seen = trail.seenEnd
  if (seen === 'ended' && !isEnd(state)) report('I7', trail.id, `it had ended, then it was seen ${state}`)
  else if (seen !== undefined && seen !== 'ended' && seen !== state)
    report('I7', trail.id, `seen ${seen}, then ${state}`)
  if (isEnd(state)) trail.seenEnd = state
}

/** I7, at the end of the run: the row is in the end that was seen last. */
export function judgeSightings({ id, row, seenEnd }: Trail, report: Report): void {
  if (!row || seenEnd === undefined) return
  const agrees = seenEnd === 'ended' ? isEnd(row.state) : row.state === seenEnd
  if (!agrees) report('I7', id, `seen ${seenEnd}, and its row is ${row.state}`)
}
