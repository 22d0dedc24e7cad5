import { validate as isUuid } from 'uuid'
import type { Dispatcher } from '../enqueue/dispatch.js'
import type { Enqueuer, EnqueueTarget } from '../enqueue/enqueue.js'
import { limitKeyOf } from '../enqueue/job-row.js'
import { EnqueueOptionError, PayloadInvalidError, SchemaTimeoutError, UnknownTaskError } from '../errors.js'
import type { EnqueueOptions, Job, JobHandle } from '../job/job.js'
import { restoreHidden } from '../job/restore.js'
import { isEnd } from '../job/state.js'
import type { Store } from '../store/store.js'
import type { CheckedPayload } from '../task/payload.js'
import { answerWithin } from '../waiting.js'
import type { Audit } from './audit.js'
import type { Asker } from './operations.js'

/** What people do to single jobs whose payloads they may see or write. Each has its line in the audit, without the payload. */
export interface ByHand {
  /**
   * A job with what its task hides. `undefined`: there is none. What its row does not have any more cannot be shown:
   * hidden fields of a job that has succeeded are gone.
   */
  reveal(id: string, asker: Asker): Promise<Revealed | undefined>
  /**
   * Begins a failed, cancelled or expired job anew with another payload. `[redacted]` at the place of a hidden value leaves
   * that as it is.
   * @throws {PayloadInvalidError} when it does not pass the task's schema
   * @throws {PayloadTooLargeError}
   * @throws {UnknownTaskError} when this process has no code of the task: nobody here could check the payload
   */
  retryWith(id: string, payload: unknown, asker: Asker): Promise<EditedRetry>
  /**
   * Enqueues a job that nobody's request asks for. `[redacted]` at the place of a hidden value is none: with `copyOf` it
   * leaves what that job has there, as far as the task hides it today, too.
   * @throws {EnqueueOptionError} for an option that is not one of {@link handOptions}
   * @throws {PayloadInvalidError} also for `[redacted]` where there is nothing that it could stand for
   */
  enqueue(task: string, payload: unknown, options: HandOptions, asker: Asker): Promise<JobHandle>
}

export interface Revealed {
  readonly job: Job
  /** Its task hides fields of payload or result, and they were removed when it succeeded. */
  readonly isRemoved: boolean
}

/** `unfit`: it has not ended, has succeeded, or somebody else was quicker. */
export type EditedRetry = 'retried' | 'unfit' | 'unknown'

export interface HandOptions
  extends Pick<
    EnqueueOptions,
    'delay' | 'expiresIn' | 'queue' | 'priority' | 'attempts' | 'timeLimit' | 'tags'
  > {
  /** A date, or ISO text. */
  readonly runAt?: Date | string
  /** Whose it is; `null`: nobody's. Must be said where the configuration has `owner`. */
  readonly owner?: string | null
  /** Another job of the task, which this one repeats: hidden values that were left as they are come from there. */
  readonly copyOf?: string
}

/** All that may be said of a job that is enqueued by hand. */
export const handOptions = [
  ...['delay', 'runAt', 'expiresIn', 'queue', 'priority', 'attempts', 'timeLimit', 'tags', 'owner', 'copyOf'],
] as readonly (keyof HandOptions)[]

export interface ByHandDeps {
  readonly backend: () => Promise<{
    readonly store: Pick<Store, 'find' | 'reveal' | 'retryWith'>
    readonly dispatcher: Pick<Dispatcher, 'send'>
  }>
  readonly audit: Audit
  readonly enqueuer: Pick<Enqueuer, 'enqueue'>
  /** By name, also of a task that only workers know. @throws {UnknownTaskError} */
  readonly targetOf: (task: string) => Promise<EnqueueTarget>
  /** Only of one whose code is here. */
  readonly ownTargetOf: (task: string) => Promise<EnqueueTarget | undefined>
  /** Whether the app says who jobs belong to. */
  readonly hasOwners: boolean
  /** How long an asynchronous schema has to answer. */
  readonly deadlineMs: number
}

export function createByHand(deps: ByHandDeps): ByHand {
  const { backend, audit, enqueuer, targetOf, hasOwners } = deps
  return {
    async reveal(id, asker) {
      if (!isUuid(id)) return undefined
      const { store } = await backend()
      const known = await store.find(id)
      if (!known) return undefined
      await audit.note('reveal', { ids: [id], task: known.task }, asker, 1)
      const job = await store.reveal(id)
      return job && { job, isRemoved: job.state === 'succeeded' && hidesValues(job) }
    },
    async retryWith(id, payload, asker) {
      if (!isUuid(id)) return 'unknown'
      const { store, dispatcher } = await backend()
      const job = await store.reveal(id)
      if (!job) return 'unknown'
      if (!isEnd(job.state) || job.state === 'succeeded') return 'unfit'
      const edited = await toEdited(deps, job, payload)
      const key = { jobId: id, number: job.delivery }
      const noted = { verb: 'retry-edited', args: { ids: [id], task: job.task }, asker } as const
      const redelivery = await audit.around(
        noted,
        () => store.retryWith(key, edited),
        (begun) => ({ outcome: { answer: begun ? 'retried' : 'unfit' }, affected: begun ? 1 : 0 }),
      )
      if (redelivery) dispatcher.send([redelivery])
      return redelivery ? 'retried' : 'unfit'
    },
    async enqueue(task, payload, options, asker) {
      const checked = toOptions(options, hasOwners)
      const target = await targetOf(task)
      const noted = { verb: 'enqueue', args: { task: target.task, ...options }, asker } as const
      return audit.around(
        noted,
        async () =>
          enqueuer.enqueue(target, await toWhole(deps, [task, target], payload, options.copyOf), checked),
        ({ id, created }) => ({ outcome: { id, created }, affected: created ? 1 : 0 }),
      )
    },
  }
}

function hidesValues({ options: { redact = [] } }: Job): boolean {
  return redact.some((path) => path.startsWith('payload') || path.startsWith('result'))
}

async function toEdited({ ownTargetOf, deadlineMs }: ByHandDeps, job: Job, payload: unknown) {
  const target = await ownTargetOf(job.task)
  if (!target) throw new UnknownTaskError(job.task, undefined, uncheckable)
  const { value, issues } = restoreHidden(job.options.redact ?? [], 'payload', payload, job.payload)
  if (issues.length > 0) throw new PayloadInvalidError(job.task, issues)
  const checked = await answerWithin(
    deadlineMs,
    Promise.resolve(target.toPayload(value)),
    () => new SchemaTimeoutError(job.task, deadlineMs),
  )
  const [was, is] = [await uniqueKeyOf(target, job), keyOf(checked)]
  return {
    text: typeof checked === 'string' ? checked : checked.text,
    limitKey: limitKeyOf(checked, job.queue, target),
    freedKey: was === is ? null : was,
  }
}

/** With the hidden values of the job that it repeats. */
async function toWhole(
  { backend }: ByHandDeps,
  [asked, { task, redact }]: readonly [name: string, target: EnqueueTarget],
  payload: unknown,
  copyOf: string | undefined,
): Promise<unknown> {
  const source =
    copyOf !== undefined && isUuid(copyOf) ? await (await backend()).store.reveal(copyOf) : undefined
  if (copyOf !== undefined && !(source && [asked, task].includes(source.task)))
    throw new EnqueueOptionError(
      `"copyOf" must be the id of a job of task "${task}", and there is no such job.`,
    )
  const { value, issues } = restoreHidden(redact, 'payload', payload, source?.payload)
  // What the task does not hide any more, the new job would show.
  const nowShown = (source?.options.redact ?? []).filter((path) => !redact.includes(path))
  const all = [...issues, ...restoreHidden(nowShown, 'payload', value, undefined).issues]
  if (all.length > 0) throw new PayloadInvalidError(task, all)
  return value
}

const uncheckable =
  'This process has no code of it, so nobody here could check the payload. Do it in a process of the app, or retry the job as it is.'

/** What the job was one of its kind by. Of a payload that its task does not take any more, nobody can say it. */
async function uniqueKeyOf(target: EnqueueTarget, { payload }: Job): Promise<string | null> {
  if (!target.uniqueness) return null
  try {
    return keyOf(await target.toPayload(payload))
  } catch {
    return null
  }
}

function keyOf(payload: CheckedPayload): string | null {
  return typeof payload === 'string' ? null : payload.uniqueKey
}

function toOptions({ runAt, owner, copyOf: _, ...options }: HandOptions, hasOwners: boolean): EnqueueOptions {
  const unknown = Object.keys(options).find((name) => !handOptions.some((known) => known === name))
  if (unknown !== undefined)
    throw new EnqueueOptionError(
      `"${unknown.slice(0, 100)}" cannot be said of a job that is enqueued by hand. It takes ${handOptions.join(', ')}.`,
    )
  if (owner === undefined && hasOwners)
    throw new EnqueueOptionError('Say "owner": whose job it is, or null for nobody.')
  return {
    ...options,
    owner: owner ?? null,
    ...(runAt === undefined ? {} : { runAt: typeof runAt === 'string' ? new Date(runAt) : runAt }),
  }
}
