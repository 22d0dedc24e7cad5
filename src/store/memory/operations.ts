import type { NewCommand } from '../control-store.js'
import type {
  HeldOperation,
  NewOperation,
  OperationStanding,
  OperationState,
  OperationWork,
  StoredOperation,
  Worked,
} from '../operation-store.js'
import type { Acted, JobDeed } from '../search-store.js'
import { addTo, toStrangers } from '../tally.js'

const silenceMs = 10_000

type Kept = { -readonly [Key in keyof StoredOperation]: StoredOperation[Key] } & {
  plan: string
  runner: string
  step: number
  seenAt: Date
  state: Exclude<OperationState, 'interrupted'>
}

type Hold = Pick<HeldOperation, 'id' | 'runner'>

export interface OperationParts {
  readonly now: () => Date
  readonly act: (ids: readonly string[], deed: JobDeed) => Acted
  readonly addCommand: (command: NewCommand) => void
}

/** Actions on many jobs, of tests. */
export function createOperations({ now, act, addCommand }: OperationParts) {
  const kept = new Map<string, Kept>()

  return {
    addOperation({ plan, isLasting, cursor, runner, ...asked }: NewOperation): void {
      addCommand({ ...asked, workers: [], expiresInMs: 0 })
      const at = now()
      kept.set(asked.id, {
        ...{ ...asked, plan, isLasting, cursor, runner, askedAt: at, movedAt: at, seenAt: at },
        ...{ state: 'running', step: 0, done: 0, affected: 0, counts: {}, matched: 0, isMore: true },
        ...{ rate: null, endedAt: null, stoppedBy: null, error: null },
      })
    },
    workOperation(work: OperationWork): Worked | undefined {
      const { deed, ids, strangers, cursor, isDone } = work
      const own = ownOf(work)
      if (own?.step !== work.step) return undefined
      const { outcomes, redeliveries } = act(ids, deed)
      const all = [...outcomes, ...toStrangers(strangers)]
      const at = now()
      const rate = (all.length * 1000) / Math.max(at.getTime() - own.movedAt.getTime(), 1)
      const tally = addTo(own, all)
      Object.assign(own, tally, {
        ...{ cursor, movedAt: at, seenAt: at, step: own.step + 1 },
        ...(isDone ? { state: 'done', endedAt: at } : {}),
        rate: own.rate === null ? rate : own.rate * 0.8 + rate * 0.2,
      })
      return { outcomes: all, redeliveries, ...tally, step: own.step }
    },
    renewOperation(held: Hold, matched?: { readonly count: number; readonly isMore: boolean }): boolean {
      const own = ownOf(held)
      if (!own) return false
      own.seenAt = now()
      if (matched) Object.assign(own, { matched: matched.count, isMore: matched.isMore, movedAt: own.seenAt })
      return true
    },
    heldOperation(held: Hold): HeldOperation | undefined {
      const own = ownOf(held)
      return own && toHeld(own)
    },
    failOperation(held: Hold, error: string): void {
      const own = ownOf(held)
      if (own) Object.assign(own, { state: 'failed', error, endedAt: now(), step: own.step + 1 })
    },
    releaseOperation(held: Hold): void {
      const own = ownOf(held)
      if (own?.isLasting) own.seenAt = new Date(0)
    },
    takeOverOperation(runner: string): HeldOperation | undefined {
      const late = [...kept.values()].find((each) => each.isLasting && isSilent(each))
      return late && take(late, runner)
    },
    stopOperation(id: string, by: string | null): boolean {
      const found = kept.get(id)
      if (found?.state !== 'running') return false
      Object.assign(found, { state: 'stopped', stoppedBy: by, endedAt: now(), step: found.step + 1 })
      return true
    },
    resumeOperation(id: string, runner: string): HeldOperation | undefined {
      const found = kept.get(id)
      if (!found || found.state === 'done' || (found.state === 'running' && !isSilent(found)))
        return undefined
      Object.assign(found, { state: 'running', isLasting: true, movedAt: now() })
      Object.assign(found, { endedAt: null, stoppedBy: null, error: null })
      return take(found, runner)
    },
    standing(id: string): OperationStanding | undefined {
      const found = kept.get(id)
      if (!found) return undefined
      const {
        id: _id,
        verb: _verb,
        args: _args,
        askedBy: _by,
        askedFrom: _from,
        askedAt: _at,
        ...told
      } = toTold(found)
      return told
    },
    operation(id: string): StoredOperation | undefined {
      const found = kept.get(id)
      return found && toTold(found)
    },
    openOperations: (): StoredOperation[] =>
      [...kept.values()].filter(({ state }) => state === 'running').map(toTold),
    hasLate: (): boolean => [...kept.values()].some((each) => each.isLasting && isSilent(each)),
  }

  function ownOf({ id, runner }: Hold): Kept | undefined {
    const found = kept.get(id)
    return found?.runner === runner && found.state === 'running' ? found : undefined
  }

  function isSilent({ state, seenAt }: Kept): boolean {
    return state === 'running' && seenAt.getTime() < now().getTime() - silenceMs
  }

  function take(found: Kept, runner: string): HeldOperation {
    Object.assign(found, { runner, step: found.step + 1, seenAt: now() })
    return toHeld(found)
  }

  function toTold(found: Kept): StoredOperation {
    const { plan: _plan, runner: _runner, step: _step, seenAt: _seenAt, ...told } = found
    const state = isSilent(found) ? 'interrupted' : told.state
    return { ...told, state, matched: Math.max(told.matched, told.done) }
  }
}

function toHeld({ id, runner, step, plan, cursor, isLasting, done, matched }: Kept): HeldOperation {
  return { id, runner, step, plan, cursor, isLasting, done, matched }
}
