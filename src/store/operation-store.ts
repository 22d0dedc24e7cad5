import type { BulkOutcome } from '../job/filter.js'
import type { NewCommand } from './control-store.js'
import type { Acted, JobDeed } from './search-store.js'

/**
 * What remembers actions on many jobs while they are worked off, and after. Each has a line among the commands, under the
 * same id: who asked for what, from where.
 *
 * One at a time works an operation off, its *runner*. Whoever takes it over has another runner's id and a higher step, so
 * that one who was overtaken can do nothing more to its jobs.
 */
export interface OperationStore {
  /** With its line among the commands. Durable when it resolves; its runner has begun. */
  addOperation(operation: NewOperation): Promise<void>
  /**
   * Does it to these jobs and moves the operation on, both or neither. `undefined`: it was stopped, or somebody else has
   * moved it, and nothing was done.
   */
  workOperation(work: OperationWork): Promise<Worked | undefined>
  /** Says that the runner lives, and how many jobs match once it knows. `false`: the operation is not its own any more. */
  renewOperation(held: Pick<HeldOperation, 'id' | 'runner'>, matched?: Matched): Promise<boolean>
  /** Where it stands, for a runner that does not know whether its last batch was committed. `undefined`: not its own. */
  heldOperation(held: Pick<HeldOperation, 'id' | 'runner'>): Promise<HeldOperation | undefined>
  /** Ends what cannot go on, and says why. */
  failOperation(held: Pick<HeldOperation, 'id' | 'runner'>, error: string): Promise<void>
  /** Leaves a lasting operation to whoever comes first. */
  releaseOperation(held: Pick<HeldOperation, 'id' | 'runner'>): Promise<void>
  /** Takes a lasting operation over whose runner is silent. `undefined`: there is none. */
  takeOverOperation(runner: string): Promise<HeldOperation | undefined>
  /** From now on nothing more is done for it. `false`: it did not run. */
  stopOperation(id: string, by: string | null): Promise<boolean>
  /** Goes on where it was stopped, has failed, or lost its runner; from then on it lasts. `undefined`: it is none of that. */
  resumeOperation(id: string, runner: string): Promise<HeldOperation | undefined>
  operation(id: string): Promise<StoredOperation | undefined>
  /** Those that run, or have lost their runner; oldest first. */
  openOperations(): Promise<StoredOperation[]>
}

export interface NewOperation extends Pick<NewCommand, 'id' | 'verb' | 'args' | 'askedBy' | 'askedFrom'> {
  /** JSON text: what is to be done to which jobs, for who takes it over. */
  readonly plan: string
  /** Whether another process takes it over when this one dies. */
  readonly isLasting: boolean
  /** Where to begin. */
  readonly cursor: string | null
  readonly runner: string
}

/** An operation in the hands of its runner. */
export interface HeldOperation {
  readonly id: string
  readonly runner: string
  /** Raised by each batch and each runner. */
  readonly step: number
  readonly plan: string
  readonly cursor: string | null
  readonly isLasting: boolean
  /** Jobs so far, whatever came of them. */
  readonly done: number
  readonly matched: number
}

/** A batch. */
export interface OperationWork extends Pick<HeldOperation, 'id' | 'runner' | 'step'> {
  readonly deed: JobDeed
  readonly ids: readonly string[]
  /** What is no id at all. */
  readonly strangers: readonly string[]
  /** Where to go on. */
  readonly cursor: string | null
  /** Nothing is left. */
  readonly isDone: boolean
}

export interface Worked extends Acted, Tally {
  readonly step: number
}

export interface Matched {
  readonly count: number
  readonly isMore: boolean
}

export type OutcomeCounts = Readonly<Partial<Record<BulkOutcome, number>>>

export interface Tally {
  /** Jobs so far, whatever came of them. */
  readonly done: number
  /** Those that were changed, or asked to stop. */
  readonly affected: number
  readonly counts: OutcomeCounts
}

/**
 * `interrupted`: its runner has been silent for a while. One that lasts is gone on with by another process within seconds,
 * as long as there is one; any other waits for somebody to resume it.
 */
export type OperationState = 'running' | 'stopped' | 'done' | 'failed' | 'interrupted'

/** How far an operation has come. */
export interface OperationStanding extends Tally {
  readonly state: OperationState
  readonly isLasting: boolean
  readonly cursor: string | null
  /** At least those that are done. */
  readonly matched: number
  /** There are more, or may be. */
  readonly isMore: boolean
  /** Jobs a second, lately; `null` before the first. */
  readonly rate: number | null
  /** The last batch. */
  readonly movedAt: Date
  readonly endedAt: Date | null
  readonly stoppedBy: string | null
  /** Why it could not go on. */
  readonly error: string | null
}

export interface StoredOperation extends OperationStanding {
  readonly id: string
  readonly verb: string
  /** JSON text: which jobs, and how. */
  readonly args: string
  readonly askedBy: string | null
  readonly askedFrom: string
  readonly askedAt: Date
}
