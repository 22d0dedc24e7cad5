import type { BulkAction, JobFilter } from '../job/filter.js'
import type { MoveTarget, OperationState, StoredOperation, Tally } from '../store/store.js'
import type { DeedOptions, Which } from './operation-plan.js'

/**
 * Actions on many jobs that outlive whoever asked for them: a request that has been answered, a process that was killed.
 * A process works one off, batch by batch; when it dies, another goes on from where it was, and every job is met once.
 * See `docs/jobs.md`.
 */
export interface Operations {
  /**
   * Begins one, and does not wait for it.
   * @throws {ConfigError} when the filter or an option makes no sense
   */
  start(action: BulkAction, which: Which, options?: OperationOptions): Promise<Operation>
  /** Nothing more is done for it once this resolves. `undefined`: there is no such operation. */
  stop(id: string, options?: Asker): Promise<Operation | undefined>
  /** Goes on where it was stopped, has failed, or was left. One that is done stays done. `undefined`: there is none such. */
  resume(id: string, options?: Asker): Promise<Operation | undefined>
  /** How far it has come. `undefined`: there is no such operation. */
  progress(id: string): Promise<Operation | undefined>
  /** The same once it does not run any more, or when time is over. */
  ended(id: string, timeoutMs: number): Promise<Operation | undefined>
  /** Those that run or were interrupted, oldest first, whoever works them off. */
  open(): Promise<Operation[]>
}

/** Who asks, and from where. It is kept. */
export interface Asker {
  readonly by?: string | null
  /** Default `code`. */
  readonly from?: string
}

export interface OperationOptions extends Asker, DeedOptions {
  /** Jobs in one batch, at most. Default 50, and more are never taken at once. */
  readonly batch?: number
}

/** An action on many jobs, and how far it has come. */
export interface Operation extends Tally {
  /** That of its line in the audit. */
  readonly id: string
  readonly action: BulkAction
  readonly state: OperationState
  /** How many match, as far as a count of 2 s tells; at least those that are done. */
  readonly matched: number
  /** There are more than `matched`, or may be. */
  readonly isMore: boolean
  /** Jobs a second, lately; `null` before the first. */
  readonly rate: number | null
  readonly startedAt: Date
  /** When it last moved. */
  readonly movedAt: Date
  readonly endedAt: Date | null
  readonly by: string | null
  readonly from: string
  readonly stoppedBy: string | null
  /** Why it could not go on. */
  readonly error: string | null
  /** Whether another process goes on with it when this one dies: not with a call of `jobs.bulk`, whose caller waits. */
  readonly isLasting: boolean
  /** As it was asked. */
  readonly filter?: JobFilter
  /** The first hundred; `of` says how many there are, if more. */
  readonly ids?: readonly string[]
  readonly of?: number
  readonly reason?: string
  readonly to?: MoveTarget
}

type Args = Pick<Operation, 'filter' | 'ids' | 'of' | 'reason' | 'to'>

export function toOperation({
  verb,
  args,
  askedBy,
  askedFrom,
  askedAt,
  cursor: _,
  ...told
}: StoredOperation): Operation {
  return {
    ...told,
    action: verb as BulkAction,
    startedAt: askedAt,
    by: askedBy,
    from: askedFrom,
    ...(JSON.parse(args) as Args),
  }
}
