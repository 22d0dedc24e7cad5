import { toStoredError } from '../job/json.js'
import type { EndState } from '../job/state.js'
import type { HookName, Hooks } from '../task/hooks.js'
import { type Emitter, type Events, isThenable, type Particulars } from './events.js'

/** A task as its hooks need it. */
export interface HookedTask {
  readonly hooks?: Hooks | undefined
  /** Parses the stored JSON text anew, through the task's schema. */
  parsePayload(text: string): unknown | Promise<unknown>
}

export interface HookCallerDeps {
  readonly events: Emitter
  /** Of all tasks. */
  readonly shared: Hooks | undefined
  readonly log: { warn(message: string): void; error(message: string): void }
  /** How long one hook is waited for. */
  readonly limitMs?: number
  /** Jobs whose hooks may run at once. */
  readonly most?: number
}

/** Calls the hooks of tasks and app as events come: those of one job one after the other, the task's before the app's. */
export interface HookCaller {
  /** Begins to listen, to as much as these tasks and the app have hooks for. */
  watch(tasks: ReadonlyMap<string, HookedTask>): void
  /** Resolves when no hook runs. */
  settled(): Promise<void>
  /** Hooks of so many jobs run that their process had better wait. */
  readonly isFull: boolean
  /** Tells when it is full no more. Gives a function that ends it. */
  onRoom(listener: () => void): () => void
}

type Told = keyof typeof calls
type ToldEvent = Events[Told]

/** Which hooks an event calls, and what they get beside job, attempt and payload. */
const calls = {
  'job.started': { hooks: ['onStart'] },
  'job.succeeded': { hooks: ['onSuccess', 'onEnd'], state: 'succeeded' },
  'job.retrying': { hooks: ['onRetry'] },
  'job.failed': { hooks: ['onFailure', 'onEnd'], state: 'failed' },
  'job.cancelled': { hooks: ['onCancel', 'onEnd'], state: 'cancelled' },
  'job.expired': { hooks: ['onEnd'], state: 'expired' },
} as const satisfies Partial<
  Record<keyof Events, { readonly hooks: readonly HookName[]; readonly state?: EndState }>
>

const defaultLimitMs = 10_000
const defaultMost = 1000

export function createHookCaller({
  events,
  shared,
  log,
  limitMs = defaultLimitMs,
  most = defaultMost,
}: HookCallerDeps): HookCaller {
  /** The last call of each job. */
  const running = new Map<string, Promise<void>>()
  const waiting = new Set<() => void>()

  return {
    watch(tasks) {
      const used = [shared, ...[...tasks.values()].map(({ hooks }) => hooks)]
      for (const name of Object.keys(calls) as Told[]) {
        if (!calls[name].hooks.some((hook) => used.some((hooks) => hooks?.[hook]))) continue
        events.on(name, (event, particulars) => {
          if (particulars) notice(name, event, particulars, tasks.get(event.job.task))
        })
      }
    },
    async settled() {
      while (running.size > 0) await Promise.all(running.values())
    },
    get isFull() {
      return running.size >= most
    },
    onRoom(listener) {
      waiting.add(listener)
      return () => void waiting.delete(listener)
    },
  }

  function notice(
    name: Told,
    event: ToldEvent,
    particulars: Particulars,
    task: HookedTask | undefined,
  ): void {
    const { hooks } = calls[name]
    if (!hooks.some((hook) => task?.hooks?.[hook] || shared?.[hook])) return
    const { id } = event.job
    const before = running.get(id)
    // The first one is called at once, so that `onStart` comes before the handler.
    const work = before
      ? before.then(() => callAll(name, event, particulars, task))
      : callAll(name, event, particulars, task)
    const noted = work.then(() => {
      if (running.get(id) === noted) forget(id)
    })
    running.set(id, noted)
  }

  function forget(id: string): void {
    const wasFull = running.size >= most
    running.delete(id)
    if (wasFull && running.size < most) for (const listener of waiting) listener()
  }

  /** Never rejects. */
  async function callAll(
    name: Told,
    event: ToldEvent,
    particulars: Particulars,
    task: HookedTask | undefined,
  ): Promise<void> {
    const parsed = parse(particulars.payload, task)
    const payload = parsed instanceof Promise ? await bounded(parsed, () => {}) : parsed
    // An attempt without a payload fails, and its end is told.
    if (payload === unreadable && name === 'job.started') return
    for (const hook of calls[name].hooks) {
      const given = toHookEvent(name, hook, event, payload === unreadable ? undefined : payload, particulars)
      const where = `${hook} of ${event.job.task} (job ${event.job.id})`
      for (const [holder, whose] of [
        [task?.hooks, where],
        [shared, `${hook} of the configuration, for ${event.job.task} (job ${event.job.id})`],
      ] as const) {
        if (!holder?.[hook]) continue
        const returned = call(holder, hook, given, whose)
        if (returned) await returned
      }
    }
  }

  function call(holder: Hooks, hook: HookName, event: unknown, where: string): Promise<unknown> | undefined {
    try {
      const returned = holder[hook]?.(event)
      return isThenable(returned) ? bounded(returned, (error) => blame(where, error), where) : undefined
    } catch (error) {
      blame(where, error)
      return undefined
    }
  }

  /** Resolves at its limit at the latest. What it throws later is told all the same. */
  function bounded(
    work: PromiseLike<unknown>,
    onError: (error: unknown) => void,
    where?: string,
  ): Promise<unknown> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        if (where) log.warn(`${where} has run for ${limitMs} ms, and is waited for no longer.`)
        resolve(unreadable)
      }, limitMs)
      work.then(
        (value) => {
          clearTimeout(timer)
          resolve(value)
        },
        (error: unknown) => {
          clearTimeout(timer)
          onError(error)
          resolve(unreadable)
        },
      )
    })
  }

  function blame(where: string, error: unknown): void {
    const { name, message, stack } = toStoredError(error)
    log.error(`${where} threw: ${stack ?? `${name}: ${message}`}`)
  }
}

const unreadable = Symbol('no payload')

/** A task that this process does not know has no schema here. */
function parse(text: string, task: HookedTask | undefined): unknown {
  try {
    return task ? task.parsePayload(text) : JSON.parse(text)
  } catch {
    return unreadable
  }
}

function toHookEvent(
  name: Told,
  hook: HookName,
  event: ToldEvent,
  payload: unknown,
  { result }: Particulars,
): object {
  const { job, attempt, worker: _, ...told } = event
  const outcome =
    name === 'job.succeeded' ? { result: result?.() } : 'error' in told ? { error: told.error } : {}
  if (hook !== 'onEnd') return { job, attempt, payload, ...told, ...outcome }
  const call = calls[name]
  return { job, attempt, payload, ...('state' in call ? { state: call.state } : {}), ...outcome }
}
