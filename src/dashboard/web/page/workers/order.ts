import type { DashboardAction } from '../../../../control/access.js'
import type { AutoscaleRange, PoolReply, ReplyOf, Verb } from '../../../../control/verbs.js'
import { tellCount } from '../../ui/format.js'

/** What workers may be told on the pages. */
export type OrderVerb = Extract<
  Verb,
  | 'pool-grow'
  | 'pool-shrink'
  | 'autoscale'
  | 'pool-restart'
  | 'queue-add'
  | 'queue-remove'
  | 'log-level'
  | 'reset'
  | 'shutdown'
>

export interface Order {
  readonly action: DashboardAction
  /** In a menu, and as the head of its dialog. */
  readonly name: string
  /** On the button that does it. */
  readonly button: string
  /** What it does, before it is done. */
  readonly meaning: string
  readonly isDanger?: boolean
}

export const orders: Readonly<Record<OrderVerb, Order>> = {
  'pool-grow': {
    action: 'worker.pool',
    name: 'Grow',
    button: 'Grow',
    meaning: 'Each worker runs so many jobs more at once. It is kept for its name, also after a restart.',
  },
  'pool-shrink': {
    action: 'worker.pool',
    name: 'Shrink',
    button: 'Shrink',
    meaning:
      'Each worker runs so many jobs fewer at once, at least one. What runs goes on to its end. It is kept for its name, also after a restart.',
  },
  autoscale: {
    action: 'worker.pool',
    name: 'Autoscale',
    button: 'Set',
    meaning:
      'Between two bounds a worker decides by itself how many jobs it runs at once: more while jobs wait for a place, fewer while places are free. It is kept for its name, also after a restart.',
  },
  'pool-restart': {
    action: 'worker.pool',
    name: 'Restart the pool',
    button: 'Restart',
    meaning:
      'Threads and processes of the pool are replaced, each when its job has ended. A worker whose handlers run inside its own process has none.',
  },
  'queue-add': {
    action: 'worker.queues',
    name: 'Add a queue',
    button: 'Add',
    meaning: 'Each worker takes jobs of this queue as well. It is kept for its name, also after a restart.',
  },
  'queue-remove': {
    action: 'worker.queues',
    name: 'Remove a queue',
    button: 'Remove',
    meaning:
      'Each worker takes no more jobs of this queue; what it has claimed and not begun goes back. It is kept for its name, also after a restart.',
  },
  'log-level': {
    action: 'worker.log-level',
    name: 'Log level',
    button: 'Set',
    meaning:
      'What the process of each worker writes to its log. It is kept for its name, also after a restart.',
  },
  reset: {
    action: 'worker.reset',
    name: 'Reset',
    button: 'Reset',
    meaning:
      'What was set for each worker while it ran (pool, queues, log level) is forgotten: its configuration and its flags hold again.',
  },
  shutdown: {
    action: 'worker.shutdown',
    name: 'Shut down',
    button: 'Shut down',
    isDanger: true,
    meaning:
      'Each worker takes no more jobs, and its process ends. Whatever starts your workers may start them anew.',
  },
}

export const orderVerbs = Object.keys(orders) as OrderVerb[]

/** What somebody has typed. */
export interface Draft {
  readonly by: string
  readonly min: string
  readonly max: string
  readonly isOff: boolean
  readonly queue: string
  readonly level: string
  readonly isNow: boolean
}

export const emptyDraft: Draft = {
  by: '1',
  min: '1',
  max: '8',
  isOff: false,
  queue: '',
  level: 'info',
  isNow: false,
}

export type Body = Readonly<Record<string, unknown>>

/** The body of the request; `undefined`: something is not said, or not right. */
export function toBody(verb: OrderVerb, draft: Draft): Body | undefined {
  switch (verb) {
    case 'pool-grow':
    case 'pool-shrink': {
      const by = toWhole(draft.by)
      return by === undefined ? undefined : { by }
    }
    case 'autoscale':
      return toRangeBody(draft)
    case 'queue-add':
    case 'queue-remove': {
      const queue = draft.queue.trim()
      return queue === '' ? undefined : { queue }
    }
    case 'log-level':
      return { level: draft.level }
    case 'shutdown':
      return { now: draft.isNow }
    case 'pool-restart':
    case 'reset':
      return {}
  }
}

function toRangeBody({ min: least, max: most, isOff }: Draft): Body | undefined {
  if (isOff) return { range: null }
  const min = toWhole(least)
  const max = toWhole(most)
  return min === undefined || max === undefined || min > max ? undefined : { range: { min, max } }
}

/** 1 or more. */
function toWhole(text: string): number | undefined {
  return /^[1-9]\d{0,4}$/.test(text.trim()) ? Number(text) : undefined
}

/** What holds now, as a worker has replied. */
export function tellReply(verb: OrderVerb, value: unknown): string {
  switch (verb) {
    case 'pool-grow':
    case 'pool-shrink':
    case 'autoscale':
      return tellPool(value as PoolReply)
    case 'pool-restart':
      return tellReplaced(value as ReplyOf<'pool-restart'>)
    case 'queue-add':
    case 'queue-remove':
      return `Serves ${(value as ReplyOf<'queue-add'>).queues.join(', ')}.`
    case 'log-level':
      return `Logs from ${(value as ReplyOf<'log-level'>).level} on.`
    case 'reset': {
      const reply = value as ReplyOf<'reset'>
      return `${tellPool(reply)} Serves ${reply.queues.join(', ')}.`
    }
    case 'shutdown':
      return tellShutdown(value as ReplyOf<'shutdown'>)
  }
}

function tellPool({ concurrency, autoscale }: PoolReply): string {
  return autoscale
    ? `Runs ${tellRange(autoscale)} at once, as it needs: ${jobs(concurrency)} now.`
    : `Runs ${jobs(concurrency)} at once.`
}

export function tellRange({ min, max }: AutoscaleRange): string {
  return `${tellCount(min)} to ${jobs(max)}`
}

function tellReplaced({ replaced }: ReplyOf<'pool-restart'>): string {
  return replaced === 0
    ? 'It has no threads or processes to replace.'
    : `${tellCount(replaced)} of its threads and processes are replaced.`
}

function tellShutdown({ running, process }: ReplyOf<'shutdown'>): string {
  const ends = process === 'ends' ? 'Its process ends.' : 'It stops; the process that it is in goes on.'
  return running === 0
    ? ends
    : `${ends} ${running === 1 ? '1 job runs' : `${tellCount(running)} jobs run`} still.`
}

function jobs(count: number): string {
  return count === 1 ? '1 job' : `${tellCount(count)} jobs`
}
