import type { Values } from '../../job/codec.js'
import { toStoredError } from '../../job/json.js'
import { bind } from '../../task/binding.js'
import type { AnyTask } from '../../task/define.js'
import { type ChildAttempt, type ChildTask, createChildAttempt, type InSpan } from './child-attempt.js'
import { type Call, createChildEnqueuer } from './child-enqueue.js'
import { createChildTasks } from './child-tasks.js'
import { type ErrorRecord, fromErrorRecord } from './error-record.js'
import { endWithParent } from './guardian.js'
import type { ChildSetup, Order, ToChild } from './message.js'
import type { Port } from './port.js'

/** What a child makes of the app it is part of. */
export interface ChildApp {
  readonly values: Values
  /** Makes the process ready for a kind of file, before the first one. */
  prepare(path: string): Promise<void>
  toTask(name: string, task: AnyTask): ChildTask
  /** Runs a handler in the span of its attempt, where the app makes spans. */
  readonly inSpan?: InSpan | undefined
  onStart(): Promise<void>
  onStop(): Promise<void>
}

/** The life of a child: set up, run one attempt after another, end. */
export function serve(port: Port, isThread: boolean, open: (setup: ChildSetup) => Promise<ChildApp>): void {
  const calls = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let lastCall = 0
  let app: ChildApp | undefined
  let attempt: ChildAttempt | undefined
  let runOrder: ((order: Order) => Promise<void>) | undefined
  const { send } = port

  port.listen(hear)
  watchErrors()

  function hear(message: ToChild): void {
    switch (message.type) {
      case 'setup':
        void begin(message.setup)
        break
      case 'run':
        void runOrder?.(message.order)
        break
      case 'abort':
        attempt?.abort(message)
        break
      case 'answer':
        settle(message)
        break
      case 'stop':
        void stop()
    }
  }

  async function begin(setup: ChildSetup): Promise<void> {
    if (!isThread) leaveSignalsToParent(setup.parent)
    try {
      const opened = await open(setup)
      const tasks = createChildTasks({ ...setup, prepare: opened.prepare })
      bind(createChildEnqueuer({ tasks, maxPayload: setup.maxPayload, values: opened.values, call }))
      await opened.onStart()
      app = opened
      runOrder = async (order) => {
        const load = async () => opened.toTask(order.task, await tasks.find(order.task, order.file))
        const { values, inSpan } = opened
        attempt = createChildAttempt({ order, port, call, values, load, inSpan })
        await attempt.run()
        attempt = undefined
      }
      send({ type: 'ready' })
    } catch (error) {
      send({ type: 'unready', error: toStoredError(error) })
    }
  }

  function call(...[method, ...args]: Parameters<Call>): Promise<unknown> {
    lastCall += 1
    const id = lastCall
    return new Promise((resolve, reject) => {
      calls.set(id, { resolve, reject })
      send({ type: 'call', call: id, method, args })
    })
  }

  function settle({ call: id, value, error }: { call: number; value?: unknown; error?: ErrorRecord }): void {
    const waiting = calls.get(id)
    calls.delete(id)
    if (error) waiting?.reject(fromErrorRecord(error))
    else waiting?.resolve(value)
  }

  async function stop(): Promise<void> {
    try {
      await app?.onStop()
    } catch (error) {
      process.stderr.write(`celeriac: onWorkerStop threw in a pool: ${toStoredError(error).stack}\n`)
    }
    port.end(0)
  }

  /** The attempt that runs ends with the child; it should know why. */
  function watchErrors(): void {
    process.on('uncaughtException', (error) => {
      send({ type: 'crashed', error: toStoredError(error) })
      port.end(1)
    })
  }
}

/** The terminal and the service manager tell all processes to stop; the worker decides when its children do. */
function leaveSignalsToParent(parent: number): void {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
  endWithParent(parent)
}
