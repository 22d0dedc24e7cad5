import type { OperationStanding } from './operation-store.js'
import type { WorkerChart, WorkerChartQuery, WorkerLoad } from './worker-load.js'

/** What remembers workers, what was asked of them, and what was set while the app ran. */
export interface ControlStore {
  registerWorker(worker: NewWorker): Promise<void>
  stopWorker(id: string): Promise<void>
  /** Deletes a worker that has stopped, as if it had never been: it was none of the app's. */
  forgetWorker(id: string): Promise<void>
  /** What holds of a worker from now on. */
  changeWorker(id: string, change: WorkerChange): Promise<void>
  /** JSON text: what it says of itself, and what is kept of that over time. Every few seconds; gives whether commands wait for it. */
  reportWorker(id: string, report: string, load: WorkerLoad): Promise<boolean>
  /**
   * What a worker said of itself over time.
   * @throws {ConfigError} when what is asked is kept no finer than by steps that are longer
   */
  workerChart(query: WorkerChartQuery): Promise<WorkerChart>
  liveWorkers(): Promise<LiveWorker[]>
  /** Every worker that is remembered: live ones first, by name, then those that went, the last one first. */
  workers(): Promise<KnownWorker[]>
  /** Names of these workers, by id. One that is forgotten has none. */
  workerNames(ids: readonly string[]): Promise<ReadonlyMap<string, string>>

  settings(): Promise<Setting[]>
  /** JSON text; `null` removes it. */
  setSetting(name: string, value: string | null, by: string | null): Promise<void>
  /**
   * Sets it where it still is as it was read; `null`: where there is none. `false`: somebody else has changed it, and
   * nothing was written.
   */
  replaceSetting(name: string, expected: string | null, value: string, by: string | null): Promise<boolean>
  /** Calls `listener` when a setting was changed, or may have been. */
  onSettings(listener: () => void): () => void

  /** Durable when it resolves; the workers are told. */
  addCommand(command: NewCommand): Promise<void>
  /** What came of it, as JSON text, and for how many jobs. */
  closeCommand(id: string, outcome: string, affected?: number): Promise<void>
  /** What a worker is asked to do, has not replied to, and is not too late for; oldest first. */
  commandsFor(workerId: string): Promise<AskedCommand[]>
  /** The first reply of a worker stands. */
  addReply(reply: NewReply): Promise<void>
  repliesTo(commandId: string): Promise<Reply[]>
  /** What was asked for, newest first. */
  commands(query: CommandQuery): Promise<Command[]>
  command(id: string): Promise<Command | undefined>
  /** Calls `listener` when there is a command, or may be. */
  onCommand(listener: () => void): () => void
  /** Calls `listener` when there is a reply; `undefined`: there may be some. */
  onReply(listener: (commandId: string | undefined) => void): () => void
  /** Deletes commands and their replies of long ago; questions sooner. Gives how many. */
  pruneCommands(): Promise<number>
}

export interface NewWorker {
  readonly id: string
  readonly name: string
  readonly host: string
  readonly pid: number
  readonly queues: readonly string[]
  readonly tasks: readonly string[]
  /** JSON text: what processes without the code must know of the tasks. */
  readonly taskOptions?: string
  readonly concurrency: number
  /** Where tasks run that name no pool. Default: `inline`. */
  readonly pool?: string
  /** Of Celeriac. */
  readonly version: string
  readonly nodeVersion?: string
  /** Of the app's code, as its configuration says it. */
  readonly appVersion?: string | null
  /** JSON text: its options, without secrets. */
  readonly config?: string
  readonly configHash: string
  readonly missedLimit: number
  readonly lockKey: bigint
}

export type WorkerChange = Partial<Pick<NewWorker, 'queues' | 'concurrency' | 'config'>>

export interface LiveWorker {
  readonly id: string
  readonly name: string
  readonly host: string
  readonly pid: number
  readonly queues: readonly string[]
  readonly configHash: string
  readonly startedAt: Date
}

export interface KnownWorker extends LiveWorker {
  readonly tasks: readonly string[]
  readonly concurrency: number
  readonly pool: string
  readonly version: string
  readonly nodeVersion: string
  readonly appVersion: string | null
  /** JSON text. */
  readonly config: string
  /** JSON text: what it said last of itself; `{}` before the first word. */
  readonly report: string
  readonly reportedAt: Date | null
  /** The lease was renewed. */
  readonly seenAt: Date
  /** Rounds of maintenance since then. */
  readonly missed: number
  readonly stoppedAt: Date | null
  readonly lostAt: Date | null
  /** The database's time when it was asked. */
  readonly now: Date
}

/** What was set while the app ran. */
export interface Setting {
  /** `<kind>:<name>`, such as `task:media.resize`. */
  readonly name: string
  /** JSON text. */
  readonly value: string
  readonly setBy: string | null
  readonly setAt: Date
}

export interface NewCommand {
  readonly id: string
  readonly verb: string
  /** JSON text. */
  readonly args: string
  /** Ids of those that are to reply. */
  readonly workers: readonly string[]
  readonly askedBy: string | null
  /** `code`, `cli` or `http`, and where from. */
  readonly askedFrom: string
  /** Who has not heard of it by then does not do it any more. */
  readonly expiresInMs: number
  /** It changes nothing. Default `false`. */
  readonly isQuestion?: boolean
  /** For how many jobs, where that is known already. */
  readonly affected?: number
}

export interface AskedCommand {
  readonly id: string
  readonly verb: string
  /** JSON text. */
  readonly args: string
  readonly askedBy: string | null
  readonly askedFrom: string
  /** Milliseconds until its deadline, when the store was asked. */
  readonly leftMs: number
}

export interface Command extends Omit<AskedCommand, 'leftMs'> {
  readonly workers: readonly string[]
  readonly askedAt: Date
  readonly expiresAt: Date
  /** JSON text: what came of it, where neither workers nor `operation` say it. */
  readonly outcome: string | null
  /** How many jobs were changed or shown, or how many workers were asked; `null`: it is about none. */
  readonly affected: number | null
  /** Of an action on many jobs: how far it has come. */
  readonly operation: OperationStanding | null
}

/** Which commands. All that is said must hold. */
export interface CommandQuery {
  readonly limit: number
  /** Those before the one with this id. */
  readonly before?: string
  readonly verb?: string
  readonly by?: string
  /** All of it, or its first word: `http` is also `http 10.0.0.7`. */
  readonly from?: string
  readonly since?: Date
  /** Questions are left out. */
  readonly changesOnly?: boolean
}

export interface NewReply {
  readonly commandId: string
  readonly workerId: string
  readonly ok: boolean
  /** JSON text: what it answered, or why it did not do it. */
  readonly value: string
}

export interface Reply extends NewReply {
  readonly repliedAt: Date
}
