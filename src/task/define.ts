import type { StandardSchemaV1 } from '@standard-schema/spec'
import { ConfigError } from '../errors.js'
import type { EnqueuedStream, EnqueueOptions, EnqueueStreamOptions, JobHandle } from '../job/job.js'
import type { Transaction } from '../job/transaction.js'
import { boundEnqueuer, enqueueEach, type PayloadSource } from './binding.js'
import { callerUrl } from './caller.js'
import { checkFunction, checkKeys, wrong } from './check.js'
import { type Hooks, hookNames, type TaskHooks, toHooks } from './hooks.js'
import { policyOptions, type ResolvedPolicy, type TaskPolicy, toPolicy } from './policy.js'

/**
 * A definition of work that may be asked for.
 *
 * `Input` is what `enqueue` takes, `Payload` what `run` gets (they differ when the schema transforms), `Result` what a
 * successful attempt leaves.
 */
export interface Task<Input = unknown, Payload = Input, Result = unknown> {
  /** The name given by hand, else the one that the newest `celeriac()` gave; `undefined` before that. */
  readonly name: string | undefined
  readonly schema: StandardSchemaV1<Input, Payload> | undefined

  /**
   * Asks for one run. Resolves when the job is durable.
   * @throws {PayloadInvalidError} when the payload does not fit the schema
   * @throws {PayloadTooLargeError} when it is larger than `maxPayload`
   * @throws {TaskNotRegisteredError} when no open `celeriac()` knows this task
   * @throws {StoreUnavailableError} when the job could not be recorded
   */
  enqueue(payload: Input, options?: EnqueueOptions): Promise<JobHandle<Result>>
  /** Asks for several runs in one transaction: all or none. */
  enqueueMany(payloads: readonly Input[], options?: EnqueueOptions): Promise<JobHandle<Result>[]>
  /**
   * The same for a stream, such as a generator or a cursor of a database: any number of payloads in little memory.
   * They are written in chunks, each a transaction, and the source waits while one is written.
   * @throws {EnqueueStreamError} says how many were accepted before it stopped
   */
  enqueueMany(payloads: PayloadSource<Input>, options?: EnqueueStreamOptions<Result>): Promise<EnqueuedStream>
  /** The function itself, for tests: no job, no check, no retry. */
  run(payload: Payload, context: TaskContext): Promise<Result>
}

/** A task that checks its payload, so that a request's body may become one. */
export interface CheckedTask<Input = unknown, Payload = Input, Result = unknown>
  extends Task<Input, Payload, Result> {
  readonly schema: StandardSchemaV1<Input, Payload>
}

/** Any task, whatever it takes. */
export type AnyTask = Task<unknown, unknown, unknown>

/** The long form with a schema: any library that implements Standard Schema. */
export interface CheckedTaskOptions<Schema extends StandardSchemaV1, Result>
  extends TaskPolicy<StandardSchemaV1.InferOutput<Schema>>,
    TaskHooks<StandardSchemaV1.InferOutput<Schema>, NoInfer<Awaited<Result>>> {
  /** Checked at `enqueue`, and again before each attempt. */
  readonly payload: Schema
  run(payload: StandardSchemaV1.InferOutput<Schema>, context: TaskContext): Result
}

/** The long form without a schema: the payload is what `run` says it is, unchecked. */
export interface TaskOptions<Input, Result>
  extends TaskPolicy<Input>,
    TaskHooks<Input, NoInfer<Awaited<Result>>> {
  readonly payload?: undefined
  run(payload: Input, context: TaskContext): Result
}

/** What an attempt knows of itself, and can do. */
export interface TaskContext {
  /** The job's id, the same in every attempt. */
  readonly id: string
  readonly task: string
  /** 1 for the first start. Starts on lost workers count too. */
  readonly attempt: number
  /** How many failed attempts end the job. */
  readonly maxAttempts: number
  readonly queue: string
  readonly owner: string | null
  /** Of the request that enqueued it, or that enqueued its parent. So are the next four. */
  readonly requestId: string | null
  /** W3C trace context, as the request had it: what the attempt does is a child of that. */
  readonly traceparent: string | null
  readonly tracestate: string | null
  /** The language of whoever asked, a BCP 47 tag such as `de-CH`: for mails and files. */
  readonly locale: string | null
  /** What the option `context` gave. */
  readonly values: Readonly<Record<string, unknown>>
  /** The job whose handler enqueued this one. */
  readonly parentId: string | null
  /** Aborts when the job is cancelled, its time limit has passed, or the worker must stop. `reason` says which. */
  readonly signal: AbortSignal
  /** Shows how far the job is: any JSON value. Resolves when it is recorded. */
  progress(value: unknown): Promise<void>
  /**
   * Records the success inside a transaction of your own on the store's database: what the handler writes there and the
   * end of the job are committed together, or neither is. The handler's return value counts no more; an attempt whose
   * transaction was not committed has failed. Gives `result` back, to be returned.
   * @throws {TransactionError} when `tx` is on another database, or `complete` was called before
   * @throws {WorkerLostError} when the job was given to another worker meanwhile: let the transaction roll back
   */
  complete<Result = undefined>(completion: {
    readonly tx: Transaction
    readonly result?: Result
  }): Promise<Result>
  readonly log: TaskLog
}

/** Lines that carry the job's id, task and attempt. A pino logger fits. */
export interface TaskLog {
  readonly trace: TaskLogMethod
  readonly debug: TaskLogMethod
  readonly info: TaskLogMethod
  readonly warn: TaskLogMethod
  readonly error: TaskLogMethod
}

export interface TaskLogMethod {
  (message: string): void
  (details: object, message?: string): void
}

/** A payload that may be `undefined` may be left out of the call. */
// biome-ignore lint/suspicious/noConfusingVoidType: a parameter of type void is the one that a call may omit
type Omissible<Input> = undefined extends Input ? void : never

/**
 * Defines a task: export it from a `tasks.ts`, and call `enqueue` on it in a route.
 *
 * @throws {ConfigError} when an option is unknown or of the wrong kind
 */
export function defineTask<Input = void, Result = unknown>(
  run: (payload: Input, context: TaskContext) => Result,
): Task<Input | Omissible<Input>, Input, Awaited<Result>>
export function defineTask<Schema extends StandardSchemaV1, Result>(
  options: CheckedTaskOptions<Schema, Result>,
): CheckedTask<
  StandardSchemaV1.InferInput<Schema> | Omissible<StandardSchemaV1.InferInput<Schema>>,
  StandardSchemaV1.InferOutput<Schema>,
  Awaited<Result>
>
export function defineTask<Input = void, Result = unknown>(
  options: TaskOptions<Input, Result>,
): Task<Input | Omissible<Input>, Input, Awaited<Result>>
export function defineTask(given: unknown): AnyTask {
  const options = typeof given === 'function' ? { run: given } : given
  return createTask(toDefinition(options, callerUrl(defineTask)))
}

const brand: unique symbol = Symbol.for('celeriac.task')

/** What a task says of itself, checked. Other parts read it by {@link definitionOf}. */
export interface TaskDefinition extends ResolvedPolicy {
  /** Set by hand, else by the registry that took the task in. */
  name: string | undefined
  readonly isNamedByHand: boolean
  readonly aliases: readonly string[]
  readonly hooks: Hooks | undefined
  readonly schema: StandardSchemaV1 | undefined
  /** URL of the file that called `defineTask`, where the runtime tells. */
  readonly file: string | undefined
  readonly run: (payload: unknown, context: TaskContext) => unknown
}

/** Whether `value` is a task, also when another installed copy of the package made it. */
export function isTask(value: unknown): value is AnyTask {
  return typeof value === 'object' && value !== null && brand in value
}

export function definitionOf(task: AnyTask): TaskDefinition {
  if (!isTask(task)) throw new ConfigError('A task is expected: what defineTask() gives.')
  return (task as unknown as { [brand]: TaskDefinition })[brand]
}

const knownOptions = [
  ...policyOptions,
  'payload',
  'run',
  ...hookNames,
] as const satisfies (keyof CheckedTaskOptions<StandardSchemaV1, unknown>)[]

function toDefinition(options: unknown, file: string | undefined): TaskDefinition {
  checkKeys(options, knownOptions, 'defineTask')
  const { name, aliases, payload, run } = options
  const at = (option: string) =>
    `"${option}" of ${name === undefined ? 'defineTask' : `task "${String(name)}"`}`
  checkFunction(run, at('run'))
  return {
    ...toPolicy(options, at),
    name: optional(name, checkTaskName, at('name')),
    isNamedByHand: name !== undefined,
    aliases: optional(aliases, checkAliases, at('aliases')) ?? [],
    hooks: toHooks(options, at),
    schema: optional(payload, checkSchema, at('payload')),
    file,
    run: run as TaskDefinition['run'],
  }
}

function optional<T>(
  value: unknown,
  check: (value: unknown, where: string) => T,
  where: string,
): T | undefined {
  return value === undefined ? undefined : check(value, where)
}

const namePattern = /^[^\s,\p{Cc}]{1,200}$/u

/** Refuses a name that logs, URLs and command lines could not carry. */
export function checkTaskName(value: unknown, where: string): string {
  if (typeof value === 'string' && namePattern.test(value)) return value
  throw wrong(where, 'a name of 1 to 200 characters without spaces and commas', value)
}

function checkAliases(value: unknown, where: string): readonly string[] {
  if (!Array.isArray(value)) throw wrong(where, 'a list of names', value)
  return value.map((alias: unknown) => checkTaskName(alias, where))
}

function checkSchema(value: unknown, where: string): StandardSchemaV1 {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function'
  const standard: unknown = isObject ? Reflect.get(value, '~standard') : undefined
  if (typeof standard === 'object' && standard !== null && 'validate' in standard)
    return value as StandardSchemaV1
  throw wrong(
    where,
    'a schema of a library that implements Standard Schema (zod, valibot, arktype, …)',
    value,
  )
}

function createTask(definition: TaskDefinition): AnyTask {
  const task: AnyTask & { readonly [brand]: TaskDefinition } = {
    [brand]: definition,
    get name() {
      return definition.name
    },
    schema: definition.schema,
    async enqueue(payload, options) {
      return boundEnqueuer(task).enqueue(task, payload, options)
    },
    enqueueMany: (async (payloads: PayloadSource, options?: EnqueueStreamOptions) =>
      enqueueEach(boundEnqueuer(task), task, payloads, options)) as AnyTask['enqueueMany'],
    async run(payload, context) {
      return definition.run(payload, context)
    },
  }
  return Object.freeze(task)
}
