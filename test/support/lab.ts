import { afterEach } from 'vitest'
import type { CeleriacOptions } from '../../src/config/options.js'
import { StoreUnavailableError } from '../../src/errors.js'
import { type Celeriac, celeriac } from '../../src/plugin.js'
import { freshRedis, freshTables } from './servers.js'

/** The same tests run on both. */
export const brokers = ['redis', 'postgres'] as const
export type BrokerKind = (typeof brokers)[number]

/** The servers of one test: without a job, and with the tables. */
export interface Servers {
  readonly database: string
  readonly broker?: string
}

export async function freshServers(kind: BrokerKind): Promise<Servers> {
  const database = await freshTables(kind)
  return kind === 'redis' ? { database, broker: await freshRedis() } : { database }
}

const open = new Set<Celeriac>()

/** Opens an app that is closed after the test, and waits until it is ready. */
export async function openJobs(options: CeleriacOptions): Promise<Celeriac> {
  const jobs = celeriac({ logger: 'silent', tasks: {}, ...options })
  open.add(jobs)
  await ready(jobs)
  return jobs
}

const readyWithinMs = 60_000

/** As `jobs.ready()`, for a machine on which servers answer late. */
export async function ready(jobs: Celeriac): Promise<void> {
  const deadline = performance.now() + readyWithinMs
  for (;;) {
    try {
      return await jobs.ready()
    } catch (error) {
      if (!(error instanceof StoreUnavailableError) || performance.now() > deadline) throw error
    }
  }
}

/** Call it once in a test file that uses {@link openJobs}. */
export function closeJobsAfterEach(): void {
  afterEach(async () => {
    await Promise.all([...open].map((jobs) => jobs.close()))
    open.clear()
  })
}

/** A promise and the way to settle it. */
export function gate<T = void>(): { readonly passed: Promise<T>; readonly open: (value: T) => void } {
  let open: (value: T) => void = () => {}
  const passed = new Promise<T>((resolve) => {
    open = resolve
  })
  return { passed, open }
}
