import { readEnvironment } from '../../src/config/env.js'
import type { CeleriacOptions } from '../../src/config/options.js'
import { defaults as all, resolveConfig } from '../../src/config/resolve.js'
import { toNewJob } from '../../src/enqueue/job-row.js'
import { defineTask } from '../../src/task/define.js'

/** Defaults that the documents say as a literal. */
export const defaults: Readonly<Record<string, string | number>> = {
  prefix: all.prefix,
  path: all.path,
  queue: all.queue,
  attempts: all.attempts,
  maxPayload: all.maxPayload,
  maxResult: all.maxResult,
  lease: all.leaseMs,
  heartbeat: all.heartbeatMs,
  maxLost: all.maxLost,
  deadline: all.deadlineMs,
  grace: all.graceMs,
  name: all.workerName,
  logger: all.logger,
}

/** Each part refuses an unknown option and lists those that it knows. */
const refusals: Readonly<Record<string, () => unknown>> = {
  celeriac: () => resolveConfig(unknown(), readEnvironment({})),
  worker: () => resolveConfig({ worker: unknown() }, readEnvironment({})),
  dashboard: () => resolveConfig({ dashboard: unknown() }, readEnvironment({})),
  'dashboard.oidc': () => resolveConfig({ dashboard: { oidc: unknown() } }, readEnvironment({})),
  defineTask: () => defineTask({ run: () => 1, ...unknown<object>() }),
  enqueue: () =>
    toNewJob('{}', unknown(), { task: 't', queue: 'q', priority: 0, attempts: 1, redact: [] }, nobody),
}

const nobody = { owner: null, requestId: null, traceparent: null, context: null, parentId: null }

export function refusedBy(
  part: 'celeriac' | 'worker' | 'dashboard' | 'dashboard.oidc' | 'defineTask' | 'enqueue',
): string[] {
  try {
    refusals[part]?.()
  } catch (error) {
    const list = /(?:Known:|It takes) (.+)\.$/.exec(error instanceof Error ? error.message : '')?.[1]
    if (list) return list.split(', ')
  }
  throw new Error(`${part} did not refuse an unknown option.`)
}

function unknown<Options = CeleriacOptions>(): Options {
  return { thisIsNoOption: true } as Options
}

export function readEnvironmentNames(): string[] {
  const names = new Set<string>()
  readEnvironment(
    new Proxy<NodeJS.ProcessEnv>(
      {},
      {
        get(_, name) {
          names.add(String(name))
          return undefined
        },
      },
    ),
  )
  return [...names]
}
