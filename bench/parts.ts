import { against } from './part/against.js'
import { backlog } from './part/backlog.js'
import { commit } from './part/commit.js'
import { connections } from './part/connections.js'
import { dashboard } from './part/dashboard.js'
import { drain } from './part/drain.js'
import { enqueue } from './part/enqueue.js'
import { faults } from './part/faults.js'
import { latency } from './part/latency.js'
import { limits } from './part/limits.js'
import { memory } from './part/memory.js'
import { metrics } from './part/metrics.js'
import { outage } from './part/outage.js'
import { pools } from './part/pools.js'
import { route } from './part/route.js'
import { start } from './part/start.js'
import { store } from './part/store.js'
import { wait } from './part/wait.js'
import { workers } from './part/workers.js'
import type { Part } from './part.js'

/** All parts, in the order of the table. */
export const parts: Readonly<Record<string, Part>> = {
  route,
  enqueue,
  drain,
  workers,
  latency,
  commit,
  wait,
  start,
  pools,
  backlog,
  store,
  memory,
  metrics,
  dashboard,
  connections,
  outage,
  limits,
  faults,
  against,
}

/** What runs where no part is named: some minutes. */
export const usual = ['route', 'enqueue', 'drain', 'latency', 'wait', 'start']
