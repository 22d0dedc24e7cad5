import type { CeleriacOptions, LogLevel, WorkerOptions } from '../config/options.js'
import { ConfigError } from '../errors.js'
import type { Duration } from '../job/duration.js'
import type { PoolKind } from '../task/policy.js'
import { toBytes, toRange, toTime } from './amounts.js'
import { wholeNumber } from './kit.js'
import type { WorkerFlags } from './worker.js'

/**
 * What the flags of a worker say, as options.
 * @throws {ConfigError} when one makes no sense
 */
export function optionsOf(flags: WorkerFlags): CeleriacOptions {
  const worker = workerOptionsOf(flags)
  const timeLimit = timeLimitOf(flags)
  return {
    ...(Object.keys(worker).length === 0 ? {} : { worker }),
    ...(timeLimit === undefined ? {} : { timeLimit }),
    ...(flags.loglevel === undefined ? {} : { logger: flags.loglevel.toLowerCase() as LogLevel }),
  }
}

function workerOptionsOf(flags: WorkerFlags): WorkerOptions {
  const { maxTasksPerChild, maxJobsPerChild = maxTasksPerChild, hostname, name = hostname } = flags
  const said: { [Name in keyof WorkerOptions]: WorkerOptions[Name] | undefined } = {
    concurrency: given(flags.concurrency, (text) => wholeNumber(text, '--concurrency')),
    queues: flags.queues,
    autoscale: given(flags.autoscale, (text) => toRange(text, '--autoscale')),
    pool: given(flags.pool, toPool),
    maxJobsPerChild: given(maxJobsPerChild, (text) => wholeNumber(text, '--max-jobs-per-child')),
    maxMemoryPerChild: given(flags.maxMemoryPerChild, (text) => toBytes(text, '--max-memory-per-child')),
    name,
    grace: given(flags.grace, (text) => text as Duration),
    healthPort: given(flags.healthPort, (text) => wholeNumber(text, '--health-port', 0)),
    metricsPort: given(flags.metricsPort, (text) => wholeNumber(text, '--metrics-port', 0)),
  }
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined))
}

function given<T>(text: string | undefined, read: (text: string) => T): T | undefined {
  return text === undefined ? undefined : read(text)
}

function timeLimitOf({ timeLimit, softTimeLimit }: WorkerFlags) {
  if (timeLimit === undefined && softTimeLimit === undefined) return undefined
  return {
    ...(timeLimit === undefined ? {} : { hard: toTime(timeLimit, '--time-limit') }),
    ...(softTimeLimit === undefined ? {} : { soft: toTime(softTimeLimit, '--soft-time-limit') }),
  }
}

/** Celery's names of pools lead to ours, where there is such. */
function toPool(text: string): PoolKind {
  const word = celeryPools[text]
  if (word === undefined) return text as PoolKind
  if (!word.includes(' ')) return word as PoolKind
  throw new ConfigError(`-P ${text}: ${word}`)
}

const celeryPools: Readonly<Record<string, string>> = {
  prefork: 'process',
  processes: 'process',
  threads: 'thread',
  solo: 'say -P inline -c 1.',
  gevent: 'handlers that wait for servers need no pool in Node: say -P inline and a larger -c.',
  eventlet: 'handlers that wait for servers need no pool in Node: say -P inline and a larger -c.',
}
