import { ConfigError } from '../errors.js'
import type { JobFacts, JobRef } from '../job/facts.js'
import type { StoredError } from '../job/job.js'
import { toStoredError } from '../job/json.js'
import { hint } from '../job/suggest.js'

/**
 * Everything that is told of jobs and workers, by name. A process tells what it has itself recorded, once it is recorded:
 * a worker of its attempts, whoever enqueued or cancelled of that, and the process that ran a pass of what the pass did.
 */
export interface Events {
  /** It is committed. */
  readonly 'job.enqueued': {
    readonly job: JobRef
    readonly priority: number
    /** How long it waits for its time; 0 when it is due. */
    readonly dueInMs: number
  }
  /** Its handler is about to be called. */
  readonly 'job.started': AttemptEvent
  readonly 'job.succeeded': FinishedEvent
  /** The attempt has failed, and another one follows. */
  readonly 'job.retrying': FinishedEvent & AgainEvent & { readonly error: StoredError }
  /** The attempt asked to run again later. It has not failed. */
  readonly 'job.snoozed': FinishedEvent & AgainEvent & { readonly reason: string | null }
  /** The last attempt has failed. `worker` and `ms` are `null` when its worker died. */
  readonly 'job.failed': EndedEvent & { readonly error: StoredError }
  readonly 'job.cancelled': EndedEvent & { readonly by: string | null; readonly reason: string | null }
  /** It could not start in time. */
  readonly 'job.expired': EndedEvent
  /** Its worker stops, and has given it back: it runs again elsewhere. */
  readonly 'job.returned': FinishedEvent
  /** Its worker died or went silent: it runs again elsewhere. */
  readonly 'job.lost': { readonly job: JobRef }
  readonly 'worker.started': WorkerEvent & {
    readonly queues: readonly string[]
    readonly concurrency: number
  }
  readonly 'worker.stopped': WorkerEvent & {
    /** Attempts that have ended since its start. */
    readonly processed: number
  }
  /** A worker died or went silent. Told by the process that found it so. */
  readonly 'worker.lost': WorkerEvent
}

interface WorkerEvent {
  readonly worker: { readonly id: string; readonly name: string }
}

interface AttemptEvent {
  readonly job: JobFacts
  readonly attempt: number
  /** The worker's id. */
  readonly worker: string
}

interface FinishedEvent extends AttemptEvent {
  /** How long the attempt took. */
  readonly ms: number
}

interface AgainEvent {
  readonly retryInMs: number
  readonly willRetryAt: Date
}

interface EndedEvent {
  readonly job: JobFacts
  /** Starts so far. */
  readonly attempt: number
  /** `null` when no attempt ran at its end. */
  readonly worker: string | null
  readonly ms: number | null
}

export type EventName = keyof Events

const names = {
  'job.enqueued': true,
  'job.started': true,
  'job.succeeded': true,
  'job.retrying': true,
  'job.snoozed': true,
  'job.failed': true,
  'job.cancelled': true,
  'job.expired': true,
  'job.returned': true,
  'job.lost': true,
  'worker.started': true,
  'worker.stopped': true,
  'worker.lost': true,
} satisfies Record<EventName, true>

/** Every name of an event, to listen to them all. */
export const eventNames = Object.freeze(Object.keys(names)) as readonly EventName[]

/** What it returns is not waited for. What it throws is logged. */
export type Listener<Name extends EventName> = (event: Events[Name]) => unknown

/** What our own parts are told beside an event. */
export interface Particulars {
  /** JSON text, as the store has it. */
  readonly payload: string
  /** What the handler returned; asked for where somebody wants it. */
  readonly result?: () => unknown
}

export interface Emitter {
  /** Gives a function that ends it. @throws {ConfigError} when there is no such event, or the listener is no function */
  on<Name extends EventName>(
    name: Name,
    listener: (event: Events[Name], particulars?: Particulars) => unknown,
  ): () => void
  off<Name extends EventName>(name: Name, listener: Listener<Name>): void
  /** Whether anybody listens: where nobody does, no event is made. */
  has(name: EventName): boolean
  /** Never throws. */
  emit<Name extends EventName>(name: Name, event: Events[Name], particulars?: Particulars): void
}

type AnyListener = (event: unknown, particulars?: Particulars) => unknown

export function createEvents(log: { error(message: string): void }): Emitter {
  /** Lists are replaced and never changed, so a listener may take itself off. */
  const listeners = new Map<string, readonly AnyListener[]>()

  return {
    on(name, listener) {
      check(name, listener)
      const added = listener as AnyListener
      listeners.set(name, [...(listeners.get(name) ?? []), added])
      return () => remove(name, added)
    },
    off: (name, listener) => remove(name, listener as AnyListener),
    has: (name) => listeners.has(name),
    emit(name, event, particulars) {
      for (const listener of listeners.get(name) ?? []) tell(name, listener, event, particulars)
    },
  }

  function remove(name: string, listener: AnyListener): void {
    const left = (listeners.get(name) ?? []).filter((each) => each !== listener)
    if (left.length > 0) listeners.set(name, left)
    else listeners.delete(name)
  }

  function tell(name: string, listener: AnyListener, event: unknown, particulars?: Particulars): void {
    try {
      const returned = listener(event, particulars)
      // Queries of some libraries do not begin before somebody asks for their end.
      if (isThenable(returned)) returned.then(undefined, (error: unknown) => blame(name, error))
    } catch (error) {
      blame(name, error)
    }
  }

  function blame(name: string, error: unknown): void {
    log.error(`A listener of "${name}" threw: ${toText(error)}`)
  }
}

export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

function check(name: unknown, listener: unknown): void {
  if (typeof name !== 'string' || !Object.hasOwn(names, name))
    throw new ConfigError(
      `There is no event "${String(name).slice(0, 100)}".${hint(String(name), eventNames)} Known: ${eventNames.join(', ')}.`,
    )
  if (typeof listener !== 'function') throw new ConfigError(`A listener of "${name}" must be a function.`)
}

function toText(thrown: unknown): string {
  const { name, message, stack } = toStoredError(thrown)
  return stack ?? `${name}: ${message}`
}
