import type { ErrorGroup, JobsQuery } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'

/** What the server has put in the place of what differs from one message to the next. */
const instead = /<url>|<address>|<id>|#|["'`]…["'`]|…/

/** Shorter pieces are everywhere, and longer ones make the query no more exact. */
const leastPiece = 3
const longestPiece = 120
const mostPieces = 4

/**
 * The failures of a group, as a query: those of its class whose message has all the pieces that its members share. A
 * message that has the same pieces in another order is met as well.
 */
export function errorQuery({ name, message }: Pick<Json<ErrorGroup>, 'name' | 'message'>): string {
  const pieces = message
    .split(instead)
    .map((piece) => piece.trim().slice(0, longestPiece).trim())
    .filter(({ length }) => length >= leastPiece)
    .sort((one, other) => other.length - one.length)
    .slice(0, mostPieces)
  return [`error.name:${quoted(name)}`, ...pieces.map((piece) => `error:${quoted(piece)}`)].join(' ')
}

/** The jobs of a group. @param finishedAfter as `1h` */
export function errorJobs(
  task: string,
  group: Pick<Json<ErrorGroup>, 'name' | 'message'>,
): Pick<Required<JobsQuery>, 'task' | 'state' | 'query'> {
  return { task: [task], state: ['failed'], query: errorQuery(group) }
}

function quoted(text: string): string {
  return `"${text.replace(/["\\*]/g, '\\$&')}"`
}
