import pg from 'pg'
import { onTestFinished } from 'vitest'
import type { CeleriacOptions } from '../../src/config/options.js'
import { type Celeriac, celeriac } from '../../src/plugin.js'
import { createTestJobs } from '../../src/testing/index.js'
import { type BrokerKind, freshServers, ready } from '../support/lab.js'
import { until } from '../support/until.js'

/** An app on one kind of servers, or on none. The same tests run on each. */
export interface Lab {
  /** A web process: it enqueues, and runs nothing. */
  readonly jobs: Celeriac
  /** Lets a worker run what is due, until nothing is. */
  run(): Promise<void>
  /** Lets time pass. Nothing runs meanwhile, unless `run` is called. */
  pass(ms: number): Promise<void>
}

export interface LabOptions extends CeleriacOptions {
  /** Jobs that run at once. Default 4. */
  readonly concurrency?: number
}

export const kinds = ['memory', 'redis', 'postgres'] as const

export function openLab(kind: (typeof kinds)[number], options: LabOptions): Promise<Lab> {
  return kind === 'memory' ? openMemoryLab(options) : openServerLab(kind, options)
}

async function openMemoryLab(options: LabOptions): Promise<Lab> {
  const jobs = createTestJobs({ concurrency: 4, ...options })
  onTestFinished(() => jobs.close())
  return {
    jobs,
    run: async () => void (await jobs.drain({ allowFailures: true })),
    pass: (ms) => jobs.clock.advance(ms),
  }
}

/** The worker takes nothing while nobody runs it: it is another app, as another process would be. */
async function openServerLab(kind: BrokerKind, { concurrency = 4, ...options }: LabOptions): Promise<Lab> {
  const servers = await freshServers(kind)
  const common = { logger: 'silent', ...servers, ...options } as const
  const worker = () => celeriac({ ...common, worker: { concurrency, grace: 5000 } })
  const jobs = celeriac({ ...common, worker: false })
  const client = new pg.Client({ connectionString: servers.database })
  await ready(jobs)
  await client.connect()
  onTestFinished(async () => {
    await jobs.close()
    await client.end()
  }, 30_000)

  return {
    jobs,
    async run() {
      const running = worker()
      await running.ready()
      await until(isQuiet, { everyMs: 30 })
      await running.close()
    },
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  }

  /** A second early is in time. */
  async function isQuiet(): Promise<boolean> {
    const { rows } = await client.query<{ open: number }>(
      `SELECT count(*)::int AS open FROM celeriac.job WHERE finished_at IS NULL
         AND (state IN ('queued', 'running') OR run_at <= now() + interval '1 second')`,
    )
    return rows[0]?.open === 0
  }
}
