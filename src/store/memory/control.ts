import type {
  AskedCommand,
  Command,
  CommandQuery,
  KnownWorker,
  NewCommand,
  NewReply,
  Reply,
  Setting,
  WorkerChange,
} from '../control-store.js'
import type { OperationStanding } from '../operation-store.js'
import type { WorkerLoad } from '../worker-load.js'
import { createLoads } from './loads.js'
import type { Table, WorkerRow } from './table.js'

/** Workers, commands and settings, of tests. */
export function createControl(table: Table, operationOf: (id: string) => OperationStanding | undefined) {
  const settings = new Map<string, Setting>()
  const commands = new Map<string, KeptCommand>()
  const replies = new Map<string, Reply[]>()
  const loads = createLoads(table)
  const settingListeners = new Set<() => void>()
  const commandListeners = new Set<() => void>()
  const replyListeners = new Set<(commandId: string | undefined) => void>()

  return {
    changeWorker(id: string, change: WorkerChange): void {
      const worker = table.workers.get(id)
      if (worker) table.workers.set(id, { ...worker, ...change })
    },
    reportWorker(id: string, report: string, load: WorkerLoad): boolean {
      const worker = table.workers.get(id)
      if (!worker) return false
      table.workers.set(id, { ...worker, report, reportedAt: table.now() })
      loads.note(id, load)
      return commandsFor(id).length > 0
    },
    workerChart: loads.chart,
    forgetWorker(id: string): void {
      table.workers.delete(id)
      loads.forget(id)
    },
    workers(): KnownWorker[] {
      return [...table.workers.values()].map((worker) => toKnown(worker, table.now())).sort(liveFirst)
    },
    workerNames(ids: readonly string[]): ReadonlyMap<string, string> {
      return new Map(
        ids.flatMap((id) => {
          const worker = table.workers.get(id)
          return worker ? [[id, worker.name]] : []
        }),
      )
    },

    settings: (): Setting[] => [...settings.values()].sort((one, other) => (one.name < other.name ? -1 : 1)),
    isPaused: (queue: string): boolean => settings.has(`pause:${queue}`),
    setSetting,
    replaceSetting(name: string, expected: string | null, value: string, by: string | null): boolean {
      if ((settings.get(name)?.value ?? null) !== expected) return false
      setSetting(name, value, by)
      return true
    },
    onSettings: (listen: () => void) => listenTo(settingListeners, listen),

    addCommand({ expiresInMs, isQuestion = false, affected, ...command }: NewCommand): void {
      const askedAt = table.now()
      const expiresAt = new Date(askedAt.getTime() + expiresInMs)
      commands.set(command.id, {
        ...{ ...command, askedAt, expiresAt, outcome: null, affected: affected ?? null, isQuestion },
      })
      if (command.workers.length > 0) tell(commandListeners)
    },
    closeCommand(id: string, outcome: string, affected?: number): void {
      const command = commands.get(id)
      if (command) commands.set(id, { ...command, outcome, affected: affected ?? command.affected })
    },
    commandsFor,
    addReply(reply: NewReply): void {
      const given = replies.get(reply.commandId) ?? []
      if (given.some(({ workerId }) => workerId === reply.workerId)) return
      replies.set(reply.commandId, [...given, { ...reply, repliedAt: table.now() }])
      queueMicrotask(() => {
        for (const listen of replyListeners) listen(reply.commandId)
      })
    },
    repliesTo: (commandId: string): Reply[] => replies.get(commandId) ?? [],
    commands({ limit, before, ...query }: CommandQuery): Command[] {
      const newest = [...commands.values()].toReversed()
      const at = before === undefined ? 0 : newest.findIndex(({ id }) => id === before) + 1
      return newest
        .slice(at)
        .filter((command) => isMeant(command, query))
        .slice(0, limit)
        .map(toCommand)
    },
    command(id: string): Command | undefined {
      const command = commands.get(id)
      return command && toCommand(command)
    },
    onCommand: (listen: () => void) => listenTo(commandListeners, listen),
    onReply: (listen: (commandId: string | undefined) => void) => listenTo(replyListeners, listen),
    pruneCommands: (): number => 0,
  }

  function commandsFor(workerId: string): AskedCommand[] {
    return [...commands.values()]
      .filter(
        ({ id, workers, expiresAt }) =>
          expiresAt > table.now() &&
          workers.includes(workerId) &&
          !replies.get(id)?.some((reply) => reply.workerId === workerId),
      )
      .map((command) => ({ ...command, leftMs: command.expiresAt.getTime() - table.now().getTime() }))
  }

  function toCommand({ isQuestion: _, ...command }: KeptCommand): Command {
    const operation = operationOf(command.id) ?? null
    const affected = command.affected ?? operation?.affected ?? (command.workers.length || null)
    return { ...command, affected, operation }
  }

  function setSetting(name: string, value: string | null, by: string | null): void {
    if (value === null) settings.delete(name)
    else settings.set(name, { name, value, setBy: by, setAt: table.now() })
    tell(settingListeners)
  }
}

type KeptCommand = Omit<Command, 'operation'> & { readonly isQuestion: boolean }

function isMeant(command: KeptCommand, query: Omit<CommandQuery, 'limit' | 'before'>): boolean {
  const { verb, by, from, since, changesOnly } = query
  const { askedFrom } = command
  return (
    (verb === undefined || command.verb === verb) &&
    (by === undefined || command.askedBy === by) &&
    (from === undefined || askedFrom === from || askedFrom.startsWith(`${from} `)) &&
    (since === undefined || command.askedAt >= since) &&
    !(changesOnly && command.isQuestion)
  )
}

function toKnown(worker: WorkerRow, now: Date): KnownWorker {
  return {
    ...worker,
    pool: worker.pool ?? 'inline',
    nodeVersion: worker.nodeVersion ?? '',
    appVersion: worker.appVersion ?? null,
    config: worker.config ?? '{}',
    seenAt: worker.stoppedAt ?? now,
    missed: 0,
    stoppedAt: worker.stoppedAt ?? null,
    lostAt: null,
    now,
  }
}

function liveFirst(one: KnownWorker, other: KnownWorker): number {
  const gone = (worker: KnownWorker) => worker.stoppedAt?.getTime() ?? Number.POSITIVE_INFINITY
  return gone(other) - gone(one) || (one.name < other.name ? -1 : 1)
}

/** As an announcement of a server: never in the same turn. */
function tell(listeners: ReadonlySet<() => void>): void {
  queueMicrotask(() => {
    for (const listen of listeners) listen()
  })
}

function listenTo<Listen>(listeners: Set<Listen>, listen: Listen): () => void {
  listeners.add(listen)
  return () => void listeners.delete(listen)
}
