import type { BulkAction, BulkOutcome } from '../job/filter.js'
import type { HeldOperation, JobOutcome, MoveTarget, Store } from '../store/store.js'
import { checkKeys } from '../task/check.js'
import { type DeedOptions, defaultBatch, type NamesOf, toPlan, type Which } from './operation-plan.js'
import { type Pace, type RunListeners, type RunStore, runOperation } from './operation-run.js'
import { addOperation, messageOf } from './operator.js'

export type { Which } from './operation-plan.js'

/**
 * The same for many jobs: by their ids, or all that a filter means. What is done is done in batches, each in one
 * statement; a stop in the middle leaves every job as it was or as it is to be. A job that a worker takes meanwhile is
 * left alone. Each call is a row among the commands: who did what, to which jobs, and what came of it.
 */
export interface Bulk {
  /** What waits never starts; what runs is asked to stop. */
  cancel(which: Which, options?: BulkOptions & { readonly reason?: string }): Promise<BulkAnswer>
  /** Failed, cancelled and expired jobs begin anew. */
  retry(which: Which, options?: BulkOptions): Promise<BulkAnswer>
  /** All but what runs. */
  delete(which: Which, options?: BulkOptions): Promise<BulkAnswer>
  /** Jobs that wait for their time, or for their next attempt, are due now. */
  promote(which: Which, options?: BulkOptions): Promise<BulkAnswer>
  /** Waiting jobs get another queue, another priority, or both. */
  move(which: Which, to: MoveTarget, options?: BulkOptions): Promise<BulkAnswer>
}

export interface BulkOptions {
  /** Who asks. It is kept. */
  readonly by?: string | null
  /** From where: kept as well. Default `code`. */
  readonly from?: string
  /** Stops after the batch that is under way. */
  readonly signal?: AbortSignal
  /** Jobs in one statement, 1 to 1000. Default 500. */
  readonly batch?: number
  /** Where a call with the same filter was stopped. */
  readonly cursor?: string
  /** Told after each batch, and waited for. */
  onProgress?(progress: BulkProgress): unknown
}

export interface BulkProgress {
  /** Jobs so far, whatever came of them. */
  readonly done: number
  /** How many match, as far as a count of 2 s tells. */
  readonly matched: number
  /** There are more than `matched`, or may be. */
  readonly isMore: boolean
  /** What came of those of this batch. */
  readonly outcomes: readonly JobOutcome[]
}

export interface BulkAnswer {
  /** Of the row that remembers it. */
  readonly command: string
  /** Jobs that were looked at, whatever came of them. */
  readonly done: number
  readonly counts: Readonly<Partial<Record<BulkOutcome, number>>>
  /** It was stopped before all was done. */
  readonly isStopped: boolean
  /** Where to go on after a stop; `null` when there is nothing left, or ids were given. */
  readonly cursor: string | null
}

export interface BulkDeps {
  readonly store: () => Promise<BulkStore>
  readonly listeners: RunListeners
  /** Default: a task by what the filter says. */
  readonly namesOf?: NamesOf
}

export type BulkStore = RunStore &
  Pick<Store, 'addOperation' | 'failOperation' | 'stopOperation' | 'operation'>

/** Somebody waits for it. */
const pace: Pace = { first: 1000, most: 1000, longMs: 250, rests: 1 }

const optionNames = ['by', 'from', 'signal', 'batch', 'cursor', 'onProgress'] as const

/** Operations whose caller waits for the end, and that end with him. */
export function createBulk({ store, listeners, namesOf }: BulkDeps): Bulk {
  return {
    async cancel(which, { reason, ...options } = {}) {
      return run('cancel', which, options, reason === undefined ? {} : { reason })
    },
    retry: async (which, options = {}) => run('retry', which, options, {}),
    delete: async (which, options = {}) => run('delete', which, options, {}),
    promote: async (which, options = {}) => run('promote', which, options, {}),
    move: async (which, to, options = {}) => run('move', which, options, { to }),
  }

  async function run(
    action: BulkAction,
    which: Which,
    options: BulkOptions,
    how: DeedOptions,
  ): Promise<BulkAnswer> {
    checkKeys(options as unknown, optionNames, 'The options of a bulk action')
    const { by = null, signal = never, batch = defaultBatch, cursor = null, onProgress } = options
    const plan = toPlan(action, which, { ...how, by, batch }, namesOf)
    const opened = await store()
    const held = await addOperation(opened, { plan, which, asker: options, isLasting: false, cursor })
    const {
      end,
      done,
      counts,
      cursor: reached,
    } = await runOperation({
      ...{
        store: opened,
        held,
        listeners,
        signal,
        isCounted: onProgress !== undefined,
        pace,
      },
      onBatch: (worked, matched) =>
        onProgress?.({
          done: worked.done,
          matched: Math.max(matched?.count ?? 0, worked.done),
          isMore: matched?.isMore ?? true,
          outcomes: worked.outcomes,
        }),
    }).catch((error: unknown) => giveUp(opened, held, error))
    if (end === 'aborted') await opened.stopOperation(held.id, by)
    const isStopped = end !== 'done'
    return {
      ...{ command: held.id, done, counts, isStopped },
      cursor: isStopped && 'filter' in plan.which ? reached : null,
    }
  }
}

const never = new AbortController().signal

/** Its line in the audit says so, if the store is there. */
async function giveUp(store: BulkStore, held: HeldOperation, error: unknown): Promise<never> {
  await store.failOperation(held, messageOf(error)).catch(() => {})
  throw error
}
