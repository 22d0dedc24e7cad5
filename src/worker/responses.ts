import type { Asked, Responses } from '../control/responder.js'
import type { Settings } from '../control/settings.js'
import type { ActiveJob, PoolReply, ReservedJob, WorkerReport, WorkerStats } from '../control/verbs.js'
import { ConfigError } from '../errors.js'
import type { HeldJob } from './runner.js'
import type { Course, CourseChange, Steering } from './steering.js'
import type { Worker } from './worker.js'

export interface ResponsesDeps {
  readonly worker: Worker
  readonly steering: Steering
  readonly settings: Settings
  /** Reads anew what was set. */
  readonly learn: () => Promise<void>
  readonly taskNames: () => readonly string[]
  readonly stats: () => WorkerStats
  /** Its options, without secrets. */
  readonly conf: Readonly<Record<string, unknown>>
  readonly report: () => WorkerReport
  /** Begins to stop. Tells whether the process ends with it. */
  readonly shutdown: (now: boolean) => 'ends' | 'stays'
  readonly log: { info(message: string): void }
}

/** More at once gains nothing, in any process. */
const mostConcurrency = 10_000

/** What a worker does and answers when it is asked: each verb, and nothing else. */
export function createResponses(deps: ResponsesDeps): Responses {
  const { worker, steering, settings, learn, log } = deps

  return {
    ping: () => 'pong',
    shutdown({ now }, asked) {
      const { running } = worker
      const process = deps.shutdown(now)
      const what = process === 'ends' ? 'Shutdown' : 'This worker stops, and its process goes on:'
      log.info(`${what}${now ? ' at once' : ''}, asked by ${asked.who}.`)
      return { running, process }
    },
    'pool-grow': ({ by }, asked) => resize(asked, by),
    'pool-shrink': ({ by }, asked) => resize(asked, -by),
    async autoscale({ range }, asked) {
      const course = await change(asked, ({ concurrency }) =>
        range ? { autoscale: range, concurrency: null } : { autoscale: 'off', concurrency },
      )
      tell(range ? `Autoscale is from ${range.min} to ${range.max}` : 'Autoscale is off', asked)
      return toPoolReply(course)
    },
    'pool-restart'(_, asked) {
      const replaced = worker.restartPool()
      tell(`${replaced} of the pool are replaced`, asked)
      return { replaced }
    },
    async 'queue-add'({ queue }, asked) {
      const { queues } = await change(asked, (course) => ({
        queues: [...course.queues.filter((each) => each !== queue), queue],
      }))
      tell(`Queue "${queue}" is served`, asked)
      return { queues }
    },
    async 'queue-remove'({ queue }, asked) {
      const { queues } = await change(asked, (course) => ({ queues: without(course.queues, queue) }))
      tell(`Queue "${queue}" is not served any more`, asked)
      return { queues }
    },
    async 'log-level'({ level }, asked) {
      // As long as both levels let it through.
      tell(`Log level is ${level}`, asked)
      await change(asked, () => ({ logLevel: level }))
      return { level }
    },
    async reset(_, asked) {
      const course = await steering.reset()
      tell('Back to configuration and flags', asked)
      return { ...toPoolReply(course), queues: course.queues }
    },
    async pause({ queue }, asked) {
      await learn()
      if (worker.served.queues.includes(queue)) tell(`Queue "${queue}" is paused`, asked)
      return { paused: settings.paused }
    },
    async resume({ queue }, asked) {
      await learn()
      if (worker.served.queues.includes(queue)) tell(`Queue "${queue}" goes on`, asked)
      return { paused: settings.paused }
    },
    'rate-limit': ({ scope }, asked) => learnt(`The rate limit of ${scope}`, asked),
    concurrency: ({ scope }, asked) => learnt(`The concurrency of ${scope}`, asked),
    'limit-reset': ({ scope }, asked) => learnt(`What was set of ${scope}`, asked),
    'time-limit': ({ task }, asked) => learnt(`The time limit of task:${task}`, asked),

    active: () => worker.held().flatMap(toActive),
    reserved: () => worker.held().flatMap(toReserved),
    registered: () => deps.taskNames(),
    stats: deps.stats,
    queues: () => worker.served.queues.map((queue) => ({ queue, isPaused: settings.isPaused(queue) })),
    conf: () => deps.conf,
    report: deps.report,
  }

  function change(asked: Asked, next: (course: Course) => CourseChange): Promise<Course> {
    return steering.set(asked.command, asked.by, next)
  }

  async function resize(asked: Asked, by: number): Promise<PoolReply> {
    const course = await change(asked, (course) => ({ concurrency: sizeAfter(course, by) }))
    tell(`Pool ${by > 0 ? 'grown' : 'shrunk'} to ${course.concurrency}`, asked)
    return toPoolReply(course)
  }

  async function learnt(what: string, asked: Asked): Promise<'set'> {
    await learn()
    tell(`${what} was changed`, asked)
    return 'set'
  }

  function tell(what: string, { who }: Asked): void {
    log.info(`${what}, asked by ${who}.`)
  }
}

function sizeAfter({ autoscale, concurrency }: Course, by: number): number {
  if (autoscale)
    throw new ConfigError(
      `It scales itself, from ${autoscale.min} to ${autoscale.max}. Change the range, or end autoscale first.`,
    )
  const size = concurrency + by
  if (size >= 1 && size <= mostConcurrency) return size
  throw new ConfigError(
    size < 1
      ? `It runs ${concurrency} at once, and cannot shrink by ${-by}: one stays.`
      : `It cannot grow to ${size}: ${mostConcurrency} is the most.`,
  )
}

function without(queues: readonly string[], queue: string): readonly string[] {
  if (!queues.includes(queue))
    throw new ConfigError(`It does not serve queue "${queue}". It serves: ${queues.join(', ')}.`)
  if (queues.length === 1)
    throw new ConfigError(
      `Queue "${queue}" is the only one that it serves. Pause the queue, or stop the worker.`,
    )
  return queues.filter((each) => each !== queue)
}

function toPoolReply({ concurrency, autoscale }: Course): PoolReply {
  return { concurrency, autoscale }
}

function toActive({ job, pool, runningMs, isCancelling }: HeldJob): ActiveJob[] {
  if (runningMs === undefined) return []
  const { id, task, queue, attempt, owner } = job
  return [{ id, task, queue, attempt, owner, pool, runningMs, isCancelling }]
}

function toReserved({ job: { id, task, queue }, runningMs, heldMs }: HeldJob): ReservedJob[] {
  return runningMs === undefined ? [{ id, task, queue, waitingMs: heldMs }] : []
}
