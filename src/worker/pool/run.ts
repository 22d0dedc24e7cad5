import { AsyncResource } from 'node:async_hooks'
import { PoolError } from '../../errors.js'
import type { Thrown } from '../../job/failure.js'
import type { JsonText } from '../../job/json.js'
import type { AttemptContext } from '../attempt.js'
import { type ErrorRecord, fromErrorRecord, toErrorRecord } from './error-record.js'
import { type Member, startMs } from './member.js'
import type { CallMethod, FromChild, Order } from './message.js'
import { RemoteError } from './remote-error.js'

/** One attempt in a child: what goes to and fro until the handler has returned. */
export interface RunOptions {
  readonly member: Member
  readonly order: Order
  readonly context: AttemptContext
  readonly host: PoolHost
  /** The handler begins. */
  readonly onStart: () => void
  /** Its end may stand in the store from now on, or does not. */
  readonly onCompleting: (may: boolean) => void
}

/** What children may ask of the app. */
export type PoolHost = Readonly<Record<CallMethod, (...args: never[]) => Promise<unknown>>>

/** A result that is JSON already. */
export class Kept {
  readonly text: JsonText

  constructor(text: JsonText) {
    this.text = text
  }
}

export interface Ran {
  readonly kept: Kept | undefined
  readonly thrown: Error | undefined
  /** What the child used after it, in bytes. */
  readonly memory: number
}

/** A child has this long to show that its event loop turns, when its job is cancelled. */
const answerMs = 400

/** Rejects when the child is lost, with the reason of the signal where it was killed for that. */
export function runIn({ member, order, context, host, onStart, onCompleting }: RunOptions): Promise<Ran> {
  const { signal } = context
  let starting: NodeJS.Timeout | undefined
  let unheard: NodeJS.Timeout | undefined

  return new Promise<Ran>((resolve, reject) => {
    starting = setTimeout(() => {
      reject(notLoaded(member, order))
      void member.kill()
    }, startMs)
    member.listen({
      // The handler's calls run in the context of its attempt.
      onMessage: AsyncResource.bind(hear),
      onLost: (error) => reject(signal.aborted ? signal.reason : error),
    })
    signal.addEventListener('abort', abort, { once: true })
    member.send({ type: 'run', order })

    function hear(message: FromChild): void {
      switch (message.type) {
        case 'started':
          clearTimeout(starting)
          onStart()
          break
        case 'heard':
          clearTimeout(unheard)
          break
        case 'log':
          context.log[message.level](...message.args.map(fromArgument))
          break
        case 'progress':
          context.progress(JSON.parse(message.json)).catch(() => {})
          break
        case 'completing':
          onCompleting(message.may)
          break
        case 'call':
          void answer(message.call, message.method, message.args)
          break
        case 'returned':
          resolve({ kept: new Kept(message.result), thrown: undefined, memory: message.memory })
          break
        case 'threw':
          resolve({ kept: undefined, thrown: toError(message.thrown), memory: message.memory })
      }
    }
  }).finally(() => {
    member.listen(undefined)
    signal.removeEventListener('abort', abort)
    clearTimeout(starting)
    clearTimeout(unheard)
  })

  function abort(): void {
    member.send({ type: 'abort', reason: toErrorRecord(signal.reason) })
    if (mustEndSoon(signal.reason)) unheard = setTimeout(() => void member.kill(), answerMs)
  }

  async function answer(call: number, method: CallMethod, args: readonly unknown[]): Promise<void> {
    try {
      member.send({ type: 'answer', call, value: await host[method](...(args as never[])) })
    } catch (error) {
      member.send({ type: 'answer', call, error: toErrorRecord(error) })
    }
  }
}

function toError(thrown: Thrown): RemoteError {
  return new RemoteError(thrown.error, thrown)
}

/** Whoever asked waits, or the job may run elsewhere: a handler that blocks its child gets no time to clean up. */
function mustEndSoon({ name }: Error): boolean {
  return name === 'CancelledError' || name === 'WorkerLostError'
}

function fromArgument(argument: unknown): unknown {
  return isErrorRecord(argument) ? fromErrorRecord(argument) : argument
}

function isErrorRecord(value: unknown): value is ErrorRecord {
  return typeof value === 'object' && value !== null && 'facts' in value && 'message' in value
}

function notLoaded({ kind }: Member, { task, file }: Order): PoolError {
  return new PoolError(
    `Task "${task}" was not loaded by a ${kind} of the pool within ${startMs} ms (${file}).`,
  )
}
