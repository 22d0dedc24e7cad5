import { PoolChildLostError, PoolError } from '../../errors.js'
import type { StoredError } from '../../job/job.js'
import { startTimer, within } from '../../waiting.js'
import type { Child, ChildEnd } from './child.js'
import type { ChildSetup, FromChild, ToChild } from './message.js'
import { startProcess } from './process.js'
import type { Program } from './program.js'
import { RemoteError } from './remote-error.js'
import { startThread } from './thread.js'

export type Kind = 'thread' | 'process'

/** A child of a pool, from its start to its end. */
export interface Member {
  readonly kind: Kind
  /** Rejects when it does not come up. */
  readonly ready: Promise<void>
  readonly isGone: boolean
  send(message: ToChild): void
  /** Hears what it says and how it ends, until the next call; one attempt at a time. */
  listen(listener: Listener | undefined): void
  /** Lets it run `onWorkerStop`, for a while. Resolves when it is gone. */
  stop(): Promise<void>
  /** Ends it at once. Resolves when it is gone, or is not waited for any longer. */
  kill(): Promise<void>
}

export interface Listener {
  onMessage(message: FromChild): void
  onLost(error: PoolChildLostError): void
}

/** How long a child may take to start, and then to load the file of a task. */
export const startMs = 60_000
/** How long `onWorkerStop` of a child may take. */
const stopMs = 5000

export function startMember(kind: Kind, program: Program, setup: ChildSetup, onGone: () => void): Member {
  let listener: Listener | undefined
  let crashed: StoredError | undefined
  let ended: ChildEnd | undefined
  const ready = withResolvers()
  const gone = withResolvers()
  ready.promise.catch(() => {})
  const start = kind === 'thread' ? startThread : startProcess
  const child: Child = start(program, { onMessage: hear, onEnd })
  const late = startTimer(startMs, () => {
    ready.reject(new PoolError(`A ${kind} of the pool was not ready within ${startMs} ms.`))
    void kill()
  }).unref()
  child.send({ type: 'setup', setup })

  return {
    kind,
    ready: ready.promise,
    get isGone() {
      return ended !== undefined
    },
    send: child.send,
    listen(next) {
      listener = next
    },
    async stop() {
      child.send({ type: 'stop' })
      await within(stopMs, gone.promise)
      if (!ended) await kill()
    },
    kill,
  }

  function hear(message: FromChild): void {
    switch (message.type) {
      case 'ready':
        late.cancel()
        ready.resolve()
        return
      case 'unready':
        ready.reject(unready(kind, message.error))
        return
      case 'crashed':
        crashed = message.error
        return
      default:
        listener?.onMessage(message)
    }
  }

  function onEnd(end: ChildEnd): void {
    if (ended) return
    ended = end
    late.cancel()
    const error = lost(kind, end, crashed)
    ready.reject(error)
    listener?.onLost(error)
    gone.resolve()
    onGone()
  }

  async function kill(): Promise<void> {
    await child.kill()
    // A thread in native code goes when that returns.
    onEnd({ exitCode: null, signal: null, error: new Error('it did not answer and could not be stopped') })
  }
}

function lost(kind: Kind, { exitCode, signal, error }: ChildEnd, crashed?: StoredError): PoolChildLostError {
  if (!crashed) {
    const reason = error ? { reason: error.message } : {}
    return new PoolChildLostError(kind, { exitCode, signal, ...reason }, error ? { cause: error } : {})
  }
  const reason = `by an error that nobody caught: ${crashed.name}: ${crashed.message}`
  const cause = new RemoteError(crashed)
  return new PoolChildLostError(kind, { exitCode, signal, reason }, { cause })
}

function unready(kind: Kind, error: StoredError): PoolError {
  const cause = new RemoteError(error)
  return new PoolError(`A ${kind} of the pool cannot start: ${error.message}`, { cause })
}

interface Resolvers {
  readonly promise: Promise<void>
  resolve(): void
  reject(error: Error): void
}

function withResolvers(): Resolvers {
  let resolve: () => void = () => {}
  let reject: (error: Error) => void = () => {}
  const promise = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve: () => resolve(), reject: (error) => reject(error) }
}
