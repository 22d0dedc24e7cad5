import { validate as isUuid } from 'uuid'
import { ConfigError } from '../../errors.js'
import { bulkStates } from '../../job/filter.js'
import type { Command } from '../../store/store.js'
import type { DashboardDeps } from '../dashboard.js'
import type { AnswerOf, AuditLine, Operation, QueryOf } from './contract.js'
import { toMoment } from './moment.js'
import { ApiError } from './problem.js'
import type { Reading } from './route.js'
import { parsed } from './workers.js'

const usual = 100
/** Lines that are looked at for one page. */
const farthest = 10_000
const atOnce = 1000

/** `GET /commands?limit=…&before=…`: who asked for what, newest first. */
export async function listCommands({
  deps,
  query,
}: Reading<'GET /commands'>): Promise<AnswerOf<'GET /commands'>> {
  const { limit = usual, before } = query
  if (before !== undefined && !isUuid(before)) throw new ConfigError('"before" must be the id of a command.')
  const fits = matcher(query)
  const found: Command[] = []
  let last = before
  for (let looked = 0; looked < farthest; looked += atOnce) {
    const page = await deps.control.commands(atOnce, last)
    found.push(...page.filter(fits))
    if (found.length >= limit || page.length < atOnce) break
    last = page.at(-1)?.id
  }
  const shown = found.slice(0, limit)
  return {
    commands: shown.map(toLine),
    next: found.length < limit ? null : (shown.at(-1)?.id ?? null),
  }
}

function matcher({ verb, by, from, since }: QueryOf<'GET /commands'>): (command: Command) => boolean {
  const earliest = since === undefined ? undefined : toMoment(since, '"since"')
  return (command) =>
    (verb === undefined || command.verb === verb) &&
    (by === undefined || command.askedBy === by) &&
    (from === undefined || command.askedFrom.startsWith(from)) &&
    (earliest === undefined || command.askedAt >= earliest)
}

/** The line of a command that was written a moment ago. */
export async function commandOf({ control }: DashboardDeps, id: string): Promise<AuditLine> {
  const found = (await control.commands(atOnce)).find((command) => command.id === id)
  if (found) return toLine(found)
  throw new ApiError(404, 'COMMAND_NOT_FOUND', 'There is no such command. They are kept for 90 days.')
}

export function toLine({
  id,
  verb,
  args,
  workers,
  askedBy,
  askedFrom,
  askedAt,
  outcome,
}: Command): AuditLine {
  const came = parsed(outcome)
  const operation = Object.hasOwn(bulkStates, verb) ? toOperation(came, askedAt) : null
  return {
    ...{ id, verb, args: parsed(args), by: askedBy, from: askedFrom, at: askedAt },
    affected: operation ? operation.done : workers.length,
    ...{ operation, outcome: operation ? null : came },
  }
}

interface Came {
  readonly done?: number
  readonly counts?: Operation['counts']
  readonly isDone?: boolean
  readonly isStopped?: boolean
}

function toOperation(outcome: unknown, movedAt: Date): Operation {
  const { done = 0, counts = {}, isDone = false, isStopped = false } = (outcome ?? {}) as Came
  const state = isDone ? 'done' : isStopped ? 'stopped' : 'running'
  return { state, done, matched: done, isMore: !isDone, counts, movedAt }
}
