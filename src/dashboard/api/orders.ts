import type { Control } from '../../control/control.js'
import type { Answer, AskOptions } from '../../control/door.js'
import type { AutoscaleRange, Verb } from '../../control/verbs.js'
import type { LimitScope } from '../../enqueue/limits.js'
import { ConfigError } from '../../errors.js'
import type { Concurrency, RateLimit } from '../../job/limit.js'
import type { TimeLimit } from '../../job/time-limit.js'
import { checkKeys, checkQueue, checkText } from '../../task/check.js'
import type { LogLevel } from '../../telemetry/log.js'
import type { DashboardAction } from '../access.js'
import { type Body, toAskOptions } from './call.js'
import { ApiError } from './problem.js'
import type { Call } from './route.js'

/** What a client may tell workers to do. */
interface Order {
  /** What whoever tells them must be allowed to do. */
  readonly action: DashboardAction
  /** What its body has, beside `workers` and `deadline`. */
  readonly arguments: readonly string[]
  /** It holds for all, whoever is told of it. */
  readonly isForAll?: boolean
  give(control: Control, body: Body, options: AskOptions): Promise<Answer<unknown>>
}

/** Of each verb that changes something. What the values must be, control checks. */
export const orders: Readonly<Partial<Record<Verb, Order>>> = Object.freeze({
  shutdown: {
    action: 'worker.shutdown',
    arguments: ['now'],
    give: (control, { now }, options) =>
      control.shutdown({ ...options, ...(now === undefined ? {} : { now: now as boolean }) }),
  },
  'pool-grow': {
    action: 'worker.pool',
    arguments: ['by'],
    give: (control, { by = 1 }, options) => control.poolGrow(by as number, options),
  },
  'pool-shrink': {
    action: 'worker.pool',
    arguments: ['by'],
    give: (control, { by = 1 }, options) => control.poolShrink(by as number, options),
  },
  'pool-restart': {
    action: 'worker.pool',
    arguments: [],
    give: (control, _, options) => control.poolRestart(options),
  },
  autoscale: {
    action: 'worker.pool',
    arguments: ['range'],
    give: (control, body, options) => control.autoscale(toRange(said(body, 'range')), options),
  },
  'queue-add': {
    action: 'worker.queues',
    arguments: ['queue'],
    give: (control, { queue }, options) => control.queueAdd(queue as string, options),
  },
  'queue-remove': {
    action: 'worker.queues',
    arguments: ['queue'],
    give: (control, { queue }, options) => control.queueRemove(queue as string, options),
  },
  'log-level': {
    action: 'worker.log-level',
    arguments: ['level'],
    give: (control, { level }, options) => control.logLevel(level as LogLevel, options),
  },
  reset: {
    action: 'worker.reset',
    arguments: [],
    give: (control, _, options) => control.reset(options),
  },
  pause: {
    action: 'queue.pause',
    ...{ arguments: ['queue'], isForAll: true },
    give: (control, { queue }, options) => control.pause(queue as string, options),
  },
  resume: {
    action: 'queue.pause',
    ...{ arguments: ['queue'], isForAll: true },
    give: (control, { queue }, options) => control.resume(queue as string, options),
  },
  'rate-limit': {
    action: 'task.limit',
    ...{ arguments: ['task', 'queue', 'rateLimit'], isForAll: true },
    give: (control, body, options) =>
      control.rateLimit(toScope(body), said(body, 'rateLimit') as RateLimit | null, options),
  },
  concurrency: {
    action: 'task.limit',
    ...{ arguments: ['task', 'queue', 'concurrency'], isForAll: true },
    give: (control, body, options) =>
      control.concurrency(toScope(body), said(body, 'concurrency') as Concurrency | null, options),
  },
  'limit-reset': {
    action: 'task.limit',
    ...{ arguments: ['task', 'queue'], isForAll: true },
    give: (control, body, options) => control.limitReset(toScope(body), options),
  },
  'time-limit': {
    action: 'task.limit',
    ...{ arguments: ['task', 'timeLimit'], isForAll: true },
    give: (control, body, options) =>
      control.timeLimit(checkText(body.task, '"task"'), said(body, 'timeLimit') as TimeLimit | null, options),
  },
} satisfies Partial<Record<Verb, Order>>)

/** `undefined`: there is no such verb. */
export function actionOfVerb(name: string): DashboardAction | undefined {
  return orderOf(name)?.action
}

/** `POST /control/:verb` */
export async function giveOrder(call: Call<'POST /control/:verb'>): Promise<Answer<unknown>> {
  const { params, body, deps } = call
  const order = orderOf(params.verb)
  if (!order) throw unknownVerb(params.verb)
  const asking = order.isForAll ? ['deadline'] : ['workers', 'deadline']
  checkKeys(body, [...order.arguments, ...asking], `The body of "${params.verb}"`)
  return order.give(deps.control, body, toAskOptions(call, body))
}

function orderOf(name: string): Order | undefined {
  return Object.hasOwn(orders, name) ? orders[name as Verb] : undefined
}

function unknownVerb(name: string): ApiError {
  const known = Object.keys(orders).join(', ')
  return new ApiError(404, 'UNKNOWN_VERB', `There is no "${name.slice(0, 100)}". Known: ${known}.`)
}

/** `null` lifts what was set; that must be said. */
function said(body: Body, name: string): unknown {
  if (body[name] !== undefined) return body[name]
  throw new ConfigError(`The body lacks "${name}". null lifts what was set.`)
}

function toRange(value: unknown): AutoscaleRange | null {
  if (value === null) return null
  checkKeys(value, ['min', 'max'], '"range"')
  return value as unknown as AutoscaleRange
}

function toScope({ task, queue }: Body): LimitScope {
  if ((task === undefined) === (queue === undefined)) {
    throw new ConfigError('The body must have either "task" or "queue".')
  }
  return task === undefined ? { queue: checkQueue(queue, '"queue"') } : { task: checkText(task, '"task"') }
}
