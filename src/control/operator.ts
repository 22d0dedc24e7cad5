import { validate as isUuid, v7 as uuidv7 } from 'uuid'
import type { Hold } from '../enqueue/hold.js'
import { ClosedError, StoreUnavailableError } from '../errors.js'
import type { HeldOperation, Store } from '../store/store.js'
import { checkKeys, checkText } from '../task/check.js'
import { rest, sleep } from '../waiting.js'
import type { Audit } from './audit.js'
import { type NamesOf, type Plan, toArgs, toPlan, toPlanText, type Which } from './operation-plan.js'
import { type Pace, type RunListeners, type RunStore, runOperation } from './operation-run.js'
import {
  type Asker,
  type Operation,
  type OperationOptions,
  type Operations,
  toOperation,
} from './operations.js'

export type OperationsStore = RunStore &
  Pick<
    Store,
    | 'addOperation'
    | 'heldOperation'
    | 'takeOverOperation'
    | 'failOperation'
    | 'releaseOperation'
    | 'stopOperation'
    | 'resumeOperation'
    | 'operation'
    | 'openOperations'
  >

export interface OperationDeps {
  readonly store: () => Promise<OperationsStore>
  readonly listeners: RunListeners
  readonly namesOf?: NamesOf
  readonly audit: Pick<Audit, 'note'>
  readonly hold: Hold
  readonly log: { warn(message: string): void }
}

/** What works operations off in this process. */
export interface Operator extends Operations {
  /** Goes on with those whose process has died. Gives how many. */
  takeUp(hasTime: () => boolean): Promise<number>
  /** Leaves what runs to other processes, once the batches that are under way have ended. */
  close(): Promise<void>
}

const optionNames = ['by', 'from', 'reason', 'to', 'batch'] as const satisfies (keyof OperationOptions)[]
/** Nobody waits for it, and the process has its own work. What it sends to the broker keeps its event loop, too. */
const pace: Pace = { first: 25, most: 50, longMs: 40, rests: 4 }
const firstPauseMs = 250
const longestPauseMs = 5000
/** An operation that has not moved for so long, whatever was tried, is given up. */
const longestTroubleMs = 10 * 60_000
const firstLookMs = 50
const longestLookMs = 500

export function createOperator({ store, listeners, namesOf, audit, hold, log }: OperationDeps): Operator {
  const closing = new AbortController()
  const closed = new Promise((resolve) => closing.signal.addEventListener('abort', resolve))
  const runs = new Set<Promise<void>>()

  return {
    async start(action, which, options = {}) {
      checkKeys(options as unknown, optionNames, 'The options of an operation')
      const plan = toPlan(action, which, options, namesOf)
      const opened = await store()
      const held = await addOperation(opened, { plan, which, asker: options, isLasting: true, cursor: null })
      begin(opened, held)
      return known(await find(opened, held.id))
    },
    async stop(id, asker = {}) {
      if (!isUuid(id)) return undefined
      const opened = await store()
      const isStopped = await opened.stopOperation(id, asker.by ?? null)
      if (isStopped) await audit.note('operation-stop', { operation: id }, asker)
      return find(opened, id)
    },
    async resume(id, asker = {}) {
      if (!isUuid(id)) return undefined
      const opened = await store()
      const held = await opened.resumeOperation(id, uuidv7())
      if (held) {
        begin(opened, held)
        await audit.note('operation-resume', { operation: id }, asker)
      }
      return find(opened, id)
    },
    progress: async (id) => (isUuid(id) ? find(await store(), id) : undefined),
    async ended(id, timeoutMs) {
      if (!isUuid(id)) return undefined
      const opened = await store()
      const until = performance.now() + timeoutMs
      for (let pauseMs = firstLookMs; ; pauseMs = Math.min(pauseMs * 2, longestLookMs)) {
        const found = await find(opened, id)
        const leftMs = until - performance.now()
        if (found?.state !== 'running' || leftMs <= 0) return found
        await sleep(Math.min(pauseMs, leftMs))
      }
    },
    open: async () => (await (await store()).openOperations()).map(toOperation),
    async takeUp(hasTime) {
      const opened = await store()
      let taken = 0
      for (; hasTime() && !closing.signal.aborted; taken += 1) {
        const held = await opened.takeOverOperation(uuidv7())
        if (!held) break
        begin(opened, held)
      }
      return taken
    },
    async close() {
      closing.abort()
      await Promise.all(runs)
    },
  }

  function begin(opened: OperationsStore, held: HeldOperation): void {
    const run = hold.during(workOff(opened, held)).finally(() => runs.delete(run))
    runs.add(run)
  }

  /** Never rejects. While the store is away it is waited for, and whoever has taken the operation over meanwhile keeps it. */
  async function workOff(opened: OperationsStore, first: HeldOperation): Promise<void> {
    let held: HeldOperation | undefined = first
    let movedAt = performance.now()
    let pauseMs = firstPauseMs
    while (held) {
      const begun: HeldOperation = held
      const trouble = await run(opened, begun)
      if (!trouble) return
      if (!(trouble instanceof StoreUnavailableError) || performance.now() - movedAt > longestTroubleMs)
        return giveUp(opened, begun, trouble)
      await Promise.race([closed, rest(pauseMs)])
      const found = closing.signal.aborted ? undefined : await opened.heldOperation(begun).catch(toAway)
      const hasMoved = found && found !== 'away' && found.step > begun.step
      if (hasMoved) movedAt = performance.now()
      pauseMs = hasMoved ? firstPauseMs : Math.min(pauseMs * 2, longestPauseMs)
      if (found !== 'away') held = found
    }
  }

  /** What came of it, where that is no end. */
  async function run(opened: OperationsStore, held: HeldOperation): Promise<unknown> {
    try {
      const isCounted = held.matched === 0 && held.done === 0
      const { end } = await runOperation({
        ...{ store: opened, held, listeners, signal: closing.signal, isCounted, pace },
      })
      if (end === 'aborted') await opened.releaseOperation(held)
      return undefined
    } catch (error) {
      return error instanceof ClosedError ? undefined : error
    }
  }

  async function giveUp(opened: OperationsStore, held: HeldOperation, trouble: unknown): Promise<void> {
    const message = messageOf(trouble)
    log.warn(`An action on many jobs (${held.id}) cannot go on: ${message}`)
    await opened.failOperation(held, message).catch(() => {})
  }
}

/** Nobody can say who has it now. */
function toAway(): 'away' {
  return 'away'
}

export interface Beginning {
  readonly plan: Plan
  /** As it was asked. */
  readonly which: Which
  readonly asker: Asker
  readonly isLasting: boolean
  readonly cursor: string | null
}

/** It is there before anything is done, so that nothing is done without a trace. */
export async function addOperation(
  store: Pick<Store, 'addOperation'>,
  { plan, which, asker: { by = null, from = 'code' }, isLasting, cursor }: Beginning,
): Promise<HeldOperation> {
  if (by !== null) checkText(by, '"by"')
  checkText(from, '"from"')
  const held = { id: uuidv7(), runner: uuidv7(), plan: toPlanText(plan), isLasting, cursor }
  const asked = {
    verb: plan.deed.action,
    args: JSON.stringify(toArgs(plan, which)),
    askedBy: by,
    askedFrom: from,
  }
  await store.addOperation({ ...held, ...asked })
  return { ...held, step: 0, done: 0, matched: 0 }
}

async function find(store: Pick<Store, 'operation'>, id: string): Promise<Operation | undefined> {
  const found = await store.operation(id)
  return found && toOperation(found)
}

function known(operation: Operation | undefined): Operation {
  if (operation) return operation
  throw new StoreUnavailableError(
    'The operation was written, and is gone: somebody deletes rows of Celeriac.',
  )
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
