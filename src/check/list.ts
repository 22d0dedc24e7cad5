import { brokerMarkCheck, brokerReachableCheck } from './broker.js'
import type { Check } from './check.js'
import { clockCheck } from './clock.js'
import { configCheck } from './config.js'
import { connectionsCheck } from './connections.js'
import {
  databaseExistsCheck,
  databaseLoginCheck,
  databaseReachableCheck,
  databaseVersionCheck,
  databaseWritableCheck,
} from './database.js'
import { migrationsCheck } from './migrations.js'
import { nodeCheck } from './node.js'
import { poolerCheck } from './pooler.js'
import { dashboardCheck, embeddedCheck } from './production.js'
import {
  redisEvictionCheck,
  redisLoginCheck,
  redisPersistenceCheck,
  redisReplicaCheck,
  redisVersionCheck,
} from './redis.js'
import { queuesServedCheck, tasksServedCheck } from './served.js'
import { tasksCheck } from './tasks.js'
import { agreementCheck, prefixCheck } from './workers.js'

/** In the order in which they are told: what stands on something comes after it. */
export const checks: readonly Check[] = [
  nodeCheck,
  configCheck,
  tasksCheck,
  databaseReachableCheck,
  databaseLoginCheck,
  databaseExistsCheck,
  databaseWritableCheck,
  databaseVersionCheck,
  poolerCheck,
  connectionsCheck,
  migrationsCheck,
  brokerReachableCheck,
  redisLoginCheck,
  redisVersionCheck,
  redisReplicaCheck,
  redisEvictionCheck,
  redisPersistenceCheck,
  brokerMarkCheck,
  clockCheck,
  prefixCheck,
  agreementCheck,
  tasksServedCheck,
  queuesServedCheck,
  embeddedCheck,
  dashboardCheck,
]
