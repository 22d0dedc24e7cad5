import type { TaskContext } from '../task/define.js'

/** A context for calling `task.run(payload, context)` in a test, with what the handler reported. */
export interface TestContext extends TaskContext {
  /** Every value given to `progress`, oldest first. */
  readonly reported: readonly unknown[]
  /** The results given to `complete`: one, or none. */
  readonly completed: readonly unknown[]
  /** Fires the handler's `signal`. */
  abort(reason?: Error): void
}

/** A context as a worker would give it. Whatever matters to the test can be said. */
export function createTestContext(said: Partial<TaskContext> = {}): TestContext {
  const reported: unknown[] = []
  const completed: unknown[] = []
  const controller = new AbortController()
  const quiet = () => {}
  return {
    id: '00000000-0000-7000-8000-000000000000',
    task: 'test.task',
    attempt: 1,
    maxAttempts: 1,
    queue: 'default',
    owner: null,
    requestId: null,
    traceparent: null,
    tracestate: null,
    locale: null,
    values: {},
    parentId: null,
    signal: controller.signal,
    log: { trace: quiet, debug: quiet, info: quiet, warn: quiet, error: quiet },
    async progress(value) {
      reported.push(value)
    },
    async complete<Result>({ result }: { result?: Result }) {
      completed.push(result)
      return result as Result
    },
    ...said,
    reported,
    completed,
    abort(reason) {
      controller.abort(reason)
    },
  }
}
