import { secretless } from '../job/address.js'
import { plainValues } from '../job/codec.js'
import type { Config } from './resolve.js'

/**
 * The options that hold, for lists and reports: addresses without user, password and parameters, and of functions, codec
 * and logger only that they are there. What it gives is plain JSON.
 */
export function maskedConfig(config: Config): Readonly<Record<string, unknown>> {
  const { broker, store, values, logger, tasks, routes, retention, queueLimits, ...rest } = config
  return toShown({
    ...rest,
    broker: brokerOf(broker),
    store: store.kind === 'embedded' ? 'embedded' : store.url,
    directUrl: store.kind === 'embedded' ? null : store.directUrl,
    routes: routes.table,
    queues: queueLimits,
    retain: retention,
    codec: values === plainValues ? 'JSON' : given,
    logger: typeof logger === 'string' ? logger : given,
    tasks: tasks && Object.keys(tasks),
  }) as Record<string, unknown>
}

/** In place of what is not to be seen, or is no data. */
const given = '[given]'

function brokerOf(broker: Config['broker']): string {
  if (broker.kind === 'postgres') return broker.url ?? 'the database'
  const { connection } = broker
  if (typeof connection === 'string') return connection
  const options = 'options' in connection ? connection.options : connection
  const { host = 'localhost', port = 6379, db = 0, path } = options as RedisAddress
  return path === undefined ? `redis://${host}:${port}/${db}` : `redis:${path}`
}

interface RedisAddress {
  readonly host?: string
  readonly port?: number
  readonly db?: number
  readonly path?: string
}

function toShown(value: unknown): unknown {
  if (typeof value === 'function') return given
  if (typeof value === 'string') return /^[a-z+]+:\/\//i.test(value) ? secretless(value) : value
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return value.map(toShown)
  if (value === undefined || value === null || typeof value !== 'object') return value ?? null
  // What has a class of its own, such as a client of the app's, is none of our options.
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return given
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, toShown(each)]))
}
