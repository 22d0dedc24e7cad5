import { ClosedError, PoolError } from '../../errors.js'
import type { ClaimedJob } from '../../store/store.js'
import type { AttemptContext, RunnableTask } from '../attempt.js'
import { type Kind, type Member, startMember } from './member.js'
import type { ChildSetup, Order } from './message.js'
import { type Program, programAt } from './program.js'
import { type Kept, type PoolHost, type Ran, runIn } from './run.js'

/** Threads and processes that run attempts, one at a time each. They are started when they are needed, and kept. */
export interface Pool {
  /** One attempt, not begun. */
  attempt(job: ClaimedJob, task: RunnableTask, kind: Kind, workerId: string): RemoteRun
  /** How many children there are at most, from now on. */
  resize(size: number): void
  /** Ends all children, each when its job has ended; others take their places. Gives how many there were. */
  restart(): number
  readonly children: number
  /** Ends all children: idle ones run `onWorkerStop`, others are killed. */
  close(): Promise<void>
}

/** An attempt that runs elsewhere. */
export interface RemoteRun {
  /**
   * Rejects with what the handler threw; with the reason of the signal, where the child was killed for it; else with what
   * ended the child.
   * @param onStart called when the handler begins
   */
  run(context: AttemptContext, onStart: () => void): Promise<Kept>
  /** Nobody waits for it any more: its child is killed. */
  kill(): void
  /** The handler may have recorded its end in a transaction of its own; whether that was committed, the store knows. */
  readonly completed: boolean
}

export interface PoolOptions extends Omit<ChildSetup, 'parent'> {
  /** The program of a child. It stands beside this package's other files. */
  readonly program: URL
  /** How many children there are at most. */
  readonly size: number
  readonly maxResult: number
  readonly recycling: Recycling
  readonly host: PoolHost
  /** How long a child may be idle before it is ended. */
  readonly idleMs?: number
}

/** When a child is ended and another takes its place: between two jobs. `null`: never. */
export interface Recycling {
  readonly maxJobs: number | null
  /** In bytes: of a process all it holds, of a thread its heap. */
  readonly maxMemory: number | null
}

const defaultIdleMs = 60_000

export function createPool(options: PoolOptions): Pool {
  const { program: url, maxResult, recycling, host, idleMs = defaultIdleMs, ...setup } = options
  /** Those that take jobs, with how many they had. */
  const members = new Map<Member, number>()
  /** Of those, the ones without a job; the one that rests longest first. */
  const idle = new Map<Member, NodeJS.Timeout>()
  const leaving = new Set<Promise<void>>()
  /** Those that end after their job. */
  const retiring = new WeakSet<Member>()
  let { size } = options
  let program: Program | undefined
  let isClosing = false

  return {
    attempt,
    resize(next) {
      size = next
      for (const member of [...idle.keys()]) if (members.size > size) leave(member, 'stop')
    },
    restart() {
      const replaced = members.size
      for (const member of [...members.keys()]) {
        if (idle.has(member)) leave(member, 'stop')
        else retiring.add(member)
      }
      return replaced
    },
    get children() {
      return members.size
    },
    async close() {
      isClosing = true
      for (const member of [...members.keys()]) leave(member, idle.has(member) ? 'stop' : 'kill')
      await Promise.all(leaving)
    },
  }

  function attempt(job: ClaimedJob, task: RunnableTask, kind: Kind, workerId: string): RemoteRun {
    let member: Member | undefined
    let isKilled = false
    let completed = false

    return {
      run,
      kill() {
        isKilled = true
        if (member) leave(member, 'kill')
      },
      get completed() {
        return completed
      },
    }

    async function run(context: AttemptContext, onStart: () => void): Promise<Kept> {
      const order = toOrder(job, task, workerId, maxResult)
      member = await takeUnlessAborted(kind, context.signal)
      if (isKilled) leave(member, 'kill')
      const onCompleting = (may: boolean) => {
        completed = may
      }
      try {
        return resultOf(await perform(member, { order, context, host, onStart, onCompleting }))
      } finally {
        member = undefined
      }
    }
  }

  async function perform(member: Member, work: Omit<Parameters<typeof runIn>[0], 'member'>): Promise<Ran> {
    try {
      const ran = await runIn({ member, ...work })
      restOrLeave(member, ran.memory)
      return ran
    } catch (error) {
      // It is gone, or goes.
      forget(member)
      throw error
    }
  }

  /** A child that comes up for an attempt which was aborted meanwhile rests for the next one. */
  function takeUnlessAborted(kind: Kind, signal: AbortSignal): Promise<Member> {
    return new Promise((resolve, reject) => {
      const abort = () => reject(signal.reason)
      if (signal.aborted) return abort()
      signal.addEventListener('abort', abort, { once: true })
      take(kind)
        .then((member) => (signal.aborted ? rest(member) : resolve(member)), reject)
        .finally(() => signal.removeEventListener('abort', abort))
    })
  }

  async function take(kind: Kind): Promise<Member> {
    if (isClosing) throw new ClosedError('The worker stops.')
    const resting = [...idle.keys()].findLast((member) => member.kind === kind)
    if (resting) {
      wake(resting)
      return resting
    }
    const [oldest] = idle.keys()
    if (members.size >= size && oldest) leave(oldest, 'stop')
    program ??= programAt(url)
    const member = startMember(kind, program, { ...setup, parent: process.pid }, () => forget(member))
    members.set(member, 0)
    try {
      await member.ready
    } catch (error) {
      leave(member, 'kill')
      throw error
    }
    return member
  }

  function restOrLeave(member: Member, memory: number): void {
    const jobs = (members.get(member) ?? 0) + 1
    if (members.has(member)) members.set(member, jobs)
    const { maxJobs, maxMemory } = recycling
    const isUsedUp = (maxJobs !== null && jobs >= maxJobs) || (maxMemory !== null && memory > maxMemory)
    if (isUsedUp || retiring.has(member) || members.size > size) leave(member, 'stop')
    else rest(member)
  }

  function rest(member: Member): void {
    if (!members.has(member)) return
    if (isClosing) leave(member, 'stop')
    else idle.set(member, setTimeout(() => leave(member, 'stop'), idleMs).unref())
  }

  function wake(member: Member): void {
    clearTimeout(idle.get(member))
    idle.delete(member)
  }

  function leave(member: Member, how: 'stop' | 'kill'): void {
    forget(member)
    if (member.isGone) return
    const left = member[how]()
    leaving.add(left)
    void left.finally(() => leaving.delete(left))
  }

  function forget(member: Member): void {
    wake(member)
    members.delete(member)
  }
}

function resultOf({ kept, thrown }: Ran): Kept {
  if (kept) return kept
  throw thrown
}

function toOrder(job: ClaimedJob, task: RunnableTask, workerId: string, maxResult: number): Order {
  const { name, file } = task
  if (file === undefined) throw noFile(task)
  return { job, task: name, file, maxResult, workerId }
}

function noFile({ name, pool }: RunnableTask): PoolError {
  return new PoolError(
    `Task "${name}" cannot run in a ${pool}: which file exports it is not known here. Let "modules" find it, or run it with pool: 'inline'.`,
  )
}
