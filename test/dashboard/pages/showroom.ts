import { fileURLToPath } from 'node:url'
import express from 'express'
import type { CeleriacOptions } from '../../../src/config/options.js'
import { type Celeriac, celeriac } from '../../../src/plugin.js'
import { serve } from '../../http/app.js'
import type { Servers } from '../../support/lab.js'
import { until } from '../../support/until.js'
import { startWorkerProcess, type WorkerProcess } from '../../support/worker-process.js'

const folder = fileURLToPath(new URL('../../fixtures/showroom', import.meta.url))

export interface Showroom {
  readonly jobs: Celeriac
  /** Of the app. */
  readonly url: string
  /** Of the dashboard, with a slash at its end. */
  readonly dashboard: string
  readonly workers: readonly WorkerProcess[]
  /** One more. */
  startWorker(...args: readonly string[]): Promise<WorkerProcess>
  /** Some jobs of each kind and state. Resolves when those that end have ended. */
  fill(): Promise<Filled>
  close(): Promise<void>
}

/** Ids of jobs by what they are there for. */
export interface Filled {
  readonly succeeded: string
  readonly failed: string
  readonly running: string
  readonly retrying: string
  readonly scheduled: string
  readonly waiting: string
  readonly parent: string
  readonly secret: string
}

export interface ShowroomOptions extends Partial<CeleriacOptions> {
  /** Arguments of the worker processes. Default: two of them. */
  readonly workers?: readonly (readonly string[])[]
  readonly onEnd: (end: () => void) => void
}

/** An app of a web process and worker processes, on real servers, with its dashboard at `/jobs/dashboard/`. */
export async function openShowroom(servers: Servers, options: ShowroomOptions): Promise<Showroom> {
  const { workers: args = usualWorkers, onEnd, ...own } = options
  const jobs = celeriac({
    ...servers,
    root: folder,
    modules: 'modules/*',
    lease: '5s',
    heartbeat: '1s',
    migrate: true,
    logger: 'silent',
    ...own,
  })
  const app = express().use(jobs)
  const running = await serve(app)
  await until(() => jobs.ready().then(() => true), { timeoutMs: 60_000 })
  const startWorker = (...args: readonly string[]) =>
    startWorkerProcess({ ...servers, app: folder, args, onEnd })
  const workers: WorkerProcess[] = []
  for (const each of args) workers.push(await startWorker(...each))
  return {
    jobs,
    url: running.url,
    dashboard: `${running.url}/jobs/dashboard/`,
    workers,
    startWorker,
    fill: () => fill(jobs),
    async close() {
      await running.close()
      await jobs.close()
    },
  }
}

const usualWorkers = [
  ['-n', 'mail@one', '-c', '4', '-Q', 'mail,billing,default'],
  ['-n', 'reports@two', '-c', '2', '-Q', 'reports,default'],
]

async function fill(jobs: Celeriac): Promise<Filled> {
  const enqueue = async (...args: Parameters<Celeriac['enqueue']>) => (await jobs.enqueue(...args)).id
  const report = { month: '2026-11', pages: 2, recipients: ['ada@example.com'] }
  const card = { number: '4000 0000 0000 0002', brand: 'visa' }
  const mails = Array.from({ length: 60 }, (_, at) => ({
    to: at % 6 === 5 ? `nobody-${at}@shop.invalid` : `customer-${at}@example.com`,
    subject: `Your order ${1000 + at}`,
  }))
  const sent = await jobs.enqueueMany('mail.send', mails, {
    attempts: 1,
    owner: 'customer-7',
    tags: ['order', 'newsletter'],
  })
  const found = {
    succeeded: await enqueue('reports.buildReport', report, { tags: ['monthly'] }),
    failed: sent[5]?.id ?? '',
    parent: await enqueue('reports.buildYear', { year: 2026 }),
    secret: await enqueue('billing.charge', { customer: { id: 7, name: 'Ada' }, card, cents: 2_000_000 }),
    scheduled: await enqueue('mail.send', { to: 'ada@example.com', subject: 'Later' }, { delay: '2h' }),
    retrying: await enqueue(
      'mail.send',
      { to: 'ada@shop.invalid', subject: 'Again' },
      { attempts: 5, backoff: { type: 'fixed', delay: '1h', jitter: 0 } },
    ),
    waiting: await enqueue('media.transcode', 'holiday.mov'),
    running: await enqueue('mail.listen', { mailbox: 'support@example.com' }),
  }
  await enqueue(
    'billing.charge',
    { customer: { id: 8, name: 'Bob' }, card, cents: 4200 },
    { owner: 'customer-8' },
  )
  await enqueue('media.resize', { file: 'cat.png', width: 320 })
  const cancelled = await jobs.enqueue('mail.send', { to: 'ada@example.com', subject: 'No' }, { delay: '1h' })
  await cancelled.cancel({ by: 'ann', reason: 'sent by hand' })
  await until(async () => (await jobs.count({ state: ['queued', 'running'] })).count <= 2, {
    timeoutMs: 60_000,
  })
  return found
}
