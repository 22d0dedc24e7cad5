import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { onTestFinished } from 'vitest'
import type { AskOptions } from '../../src/control/door.js'
import { type Celeriac, celeriac, type JobHandle } from '../../src/index.js'
import { type BrokerKind, freshServers, ready, type Servers } from '../support/lab.js'
import type { OnEnd } from '../support/shared.js'
import { until } from '../support/until.js'
import {
  type Effects,
  newEffects,
  startWorkerProcess,
  type WorkerProcess,
} from '../support/worker-process.js'

const app = fileURLToPath(new URL('../fixtures/control', import.meta.url))

/** For what another process does, on a machine that has other work. */
export const patient = { timeoutMs: 60_000 } as const
/** As long as a silent worker is waited for. */
export const asked = { deadline: '5s', by: 'ann@host', from: 'test' } as const satisfies AskOptions

/** A web process that asks, and workers as processes of their own. */
export interface Scene {
  readonly servers: Servers
  readonly jobs: Celeriac
  readonly effects: Effects
  start(name: string, ...args: string[]): Promise<WorkerProcess>
  enqueue(task: string, payload?: unknown, options?: object): Promise<JobHandle>
  query<Row extends object>(sql: string, values?: unknown[]): Promise<Row[]>
  /** Resolves when these workers live, and no others. */
  live(...names: string[]): Promise<void>
}

export async function openScene(kind: BrokerKind, onEnd: OnEnd = onTestFinished): Promise<Scene> {
  const servers = await freshServers(kind)
  const jobs = celeriac({
    ...servers,
    root: app,
    modules: 'modules/*',
    heartbeat: 400,
    deadline: '30s',
    lease: '20m',
    logger: 'silent',
  })
  await ready(jobs)
  const client = new pg.Client({ connectionString: servers.database })
  await client.connect()
  onEnd(async () => {
    await jobs.close()
    await client.end()
  })
  const effects = newEffects()

  return {
    ...{ servers, jobs, effects },
    start: (name, ...args) =>
      startWorkerProcess({ ...servers, app, effects: effects.file, args: ['-n', name, ...args], onEnd }),
    enqueue: (task, payload, options) => jobs.enqueue(`work.${task}`, payload, options),
    query: async <Row extends object>(sql: string, values: unknown[] = []) =>
      (await client.query<Row>(sql, values)).rows,
    async live(...names) {
      await until(async () => {
        const workers = await jobs.inspect.workers()
        const live = workers.filter(({ stoppedAt, lostAt }) => stoppedAt === null && lostAt === null)
        return (
          live
            .map(({ name }) => name)
            .sort()
            .join() === [...names].sort().join()
        )
      }, patient)
    },
  }
}
