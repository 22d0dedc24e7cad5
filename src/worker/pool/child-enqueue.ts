import { Handle, type HandleHost } from '../../enqueue/handle.js'
import { createHold } from '../../enqueue/hold.js'
import { enqueueStream } from '../../enqueue/stream.js'
import { TransactionError } from '../../errors.js'
import type { Values } from '../../job/codec.js'
import type { EnqueueOptions, JobHandle } from '../../job/job.js'
import type { Enqueuer } from '../../task/binding.js'
import type { AnyTask } from '../../task/define.js'
import { toPayloadText } from '../../task/payload.js'
import type { ChildTasks } from './child-tasks.js'
import type { CallMethod } from './message.js'

export type Call = (method: CallMethod, ...args: unknown[]) => Promise<unknown>

export interface ChildEnqueuerOptions {
  readonly tasks: ChildTasks
  readonly maxPayload: number
  readonly values: Values
  readonly call: Call
}

/** What `task.enqueue()` does in a child: checks the payload here, and lets the worker enqueue. */
export function createChildEnqueuer({ tasks, maxPayload, values, call }: ChildEnqueuerOptions): Enqueuer {
  const host = {
    hold: createHold(),
    status: (id: string) => call('status', id),
    ended: (id: string, timeoutMs: number) => call('ended', id, timeoutMs),
    cancel: (id: string, by: string | null, reason: string | null) => call('cancel', id, by, reason),
  } as unknown as HandleHost

  const enqueuer: Enqueuer = {
    enqueueStream: (task, source, { onChunk, ...options } = {}) =>
      enqueueStream(source, {
        toRow: (payload) => payload,
        // Payloads as they are may be large, so that fewer of them go together.
        sizeOf: () => 20_000,
        write: (payloads) => enqueuer.enqueueMany(task, payloads, options),
        onChunk,
      }),
    async enqueue(task, payload, options) {
      const name = await tasks.nameOf(task)
      const text = await check(name, task, payload)
      return toHandle(name, await call('enqueue', name, text, withoutTransaction(options)))
    },
    async enqueueMany(task, payloads, options) {
      const name = await tasks.nameOf(task)
      const texts: string[] = []
      for (const payload of payloads) texts.push(await check(name, task, payload))
      const made = (await call('enqueueMany', name, texts, withoutTransaction(options))) as unknown[]
      return made.map((each) => toHandle(name, each))
    },
  }
  return enqueuer

  async function check(name: string, task: AnyTask, payload: unknown): Promise<string> {
    return toPayloadText(name, task, payload, maxPayload, values)
  }

  function toHandle(name: string, made: unknown): JobHandle {
    const { id, created } = made as { id: string; created: boolean }
    return new Handle(host, id, name, created)
  }
}

function withoutTransaction(options?: EnqueueOptions): EnqueueOptions | undefined {
  if (options?.tx === undefined) return options
  throw new TransactionError(
    "enqueue({ tx }) does not work in a task with pool: 'thread' or 'process': the worker enqueues, and does not have the transaction. Enqueue after your commit with an idempotencyKey, or run the task with pool: 'inline'.",
  )
}
