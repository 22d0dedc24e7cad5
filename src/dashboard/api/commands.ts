import { validate as isUuid } from 'uuid'
import { bulkRight } from '../../control/access.js'
import type { Asker, Operation as Progress } from '../../control/operations.js'
import { ConfigError } from '../../errors.js'
import type { Command, Reply } from '../../store/store.js'
import type { DashboardDeps } from '../dashboard.js'
import type { AnswerOf, AskedOne, AuditLine, AuditPage, Operation } from './contract.js'
import { toMoment } from './moment.js'
import { ApiError, assertMay } from './problem.js'
import type { Call, Reading } from './route.js'
import { parsed } from './workers.js'

const usual = 100

/** `GET /commands?limit=…&before=…`: who did what, newest first. */
export async function listCommands({
  deps,
  query,
}: Reading<'GET /commands'>): Promise<AnswerOf<'GET /commands'>> {
  const { limit = usual, since, ...said } = query
  if (said.before !== undefined && !isUuid(said.before))
    throw new ConfigError('"before" must be the id of a command.')
  const { store } = await deps.backend()
  const found = await store.commands({
    ...{ ...said, limit, changesOnly: said.verb === undefined },
    ...(since === undefined ? {} : { since: toMoment(since, '"since"') }),
  })
  return {
    commands: await toLines(deps, found),
    /** For `before`, to read on. */
    next: found.length < limit ? null : (found.at(-1)?.id ?? null),
  }
}

/** `GET /commands/:id`: one of them, with what each worker replied. */
export async function showCommand({ deps, params }: Reading<'GET /commands/:id'>): Promise<AuditPage> {
  const { store } = await deps.backend()
  const command = await found(deps, params.id)
  const [replies, workers, { now }] = await Promise.all([
    store.repliesTo(command.id),
    store.workers(),
    store.changeClock(),
  ])
  const names = new Map(workers.map(({ id, name }) => [id, name]))
  const isLate = command.expiresAt < now
  return {
    ...toLine(command, names),
    workers: command.workers.map((id) => {
      const reply = replies.find(({ workerId }) => workerId === id)
      return { id, name: names.get(id) ?? null, ...cameOf(reply, isLate) }
    }),
  }
}

function cameOf(reply: Reply | undefined, isLate: boolean): Omit<AskedOne, 'id' | 'name'> {
  if (!reply) return { came: isLate ? 'silent' : 'asked', value: null, at: null }
  return { came: reply.ok ? 'replied' : 'refused', value: parsed(reply.value), at: reply.repliedAt }
}

/** `POST /commands/:id/stop`: nothing more is done for it. */
export async function stopOperation(call: Call<'POST /commands/:id/stop'>): Promise<AuditLine> {
  return steer(call, (id, asker) => call.deps.operations.stop(id, asker))
}

/** `POST /commands/:id/resume`: it goes on where it was, for whoever may begin the like. */
export async function resumeOperation(call: Call<'POST /commands/:id/resume'>): Promise<AuditLine> {
  const { verb } = await found(call.deps, call.params.id)
  const right = bulkRight(verb)
  if (right) assertMay(call.visitor, right)
  return steer(call, (id, asker) => call.deps.operations.resume(id, asker))
}

async function steer(
  { deps, params, visitor, from }: Call<'POST /commands/:id/stop' | 'POST /commands/:id/resume'>,
  act: (id: string, asker: Asker) => Promise<Progress | undefined>,
): Promise<AuditLine> {
  const { id } = await found(deps, params.id)
  if (await act(id, { by: visitor.by, from })) return lineOf(deps, id)
  throw new ApiError(409, 'NO_OPERATION', 'This is no action on many jobs, so it does not go on by itself.')
}

/** The line of a command, as it is now. */
export async function lineOf(deps: DashboardDeps, id: string): Promise<AuditLine> {
  const [line] = await toLines(deps, [await found(deps, id)])
  return line as AuditLine
}

/** Workers go by themselves, and so do their names. */
async function toLines(deps: DashboardDeps, commands: readonly Command[]): Promise<AuditLine[]> {
  const { store } = await deps.backend()
  const workers = commands.some((command) => command.workers.length > 0) ? await store.workers() : []
  const names = new Map(workers.map(({ id, name }) => [id, name]))
  return commands.map((command) => toLine(command, names))
}

const mostNamed = 3

async function found(deps: DashboardDeps, id: string): Promise<Command> {
  const { store } = await deps.backend()
  const command = isUuid(id) ? await store.command(id) : undefined
  if (command) return command
  throw new ApiError(404, 'COMMAND_NOT_FOUND', 'There is no such command. They go after 90 days.')
}

function toLine(
  { id, verb, args, askedBy, askedFrom, askedAt, affected, ...came }: Command,
  names: ReadonlyMap<string, string>,
): AuditLine {
  return {
    ...{ id, verb, args: parsed(args), by: askedBy, from: askedFrom, at: askedAt, affected },
    asked: came.workers
      .slice(0, mostNamed)
      .map((worker) => ({ id: worker, name: names.get(worker) ?? null })),
    operation: came.operation && toShown(came.operation),
    outcome: parsed(came.outcome),
  }
}

function toShown({
  state,
  done,
  matched,
  isMore,
  counts,
  rate,
  movedAt,
  endedAt,
  stoppedBy,
  error,
}: NonNullable<Command['operation']>): Operation {
  return { state, done, matched, isMore, counts, rate, movedAt, endedAt, stoppedBy, error }
}
