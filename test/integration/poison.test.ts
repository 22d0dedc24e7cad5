import { hostname } from 'node:os'
import pg from 'pg'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { StoredError } from '../../src/job/job.js'
import * as work from '../fixtures/crew/modules/work/tasks.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs, type Servers } from '../support/lab.js'
import {
  type Effects,
  newEffects,
  startWorkerProcess,
  type WorkerProcess,
} from '../support/worker-process.js'

closeJobsAfterEach()
vi.setConfig({ testTimeout: 300_000 })

describe.each(brokers)('a job that takes its worker down each time, on %s (F5)', (kind) => {
  test.each(['SIGKILL', 'abort'] as const)(
    'by %s: starts three times, fails with the list of workers, and others run all the while',
    async (how) => {
      const servers = await freshServers(kind)
      const web = await openJobs({ ...servers, lease: '2s', heartbeat: '400ms', tasks: { work } })
      const effects = newEffects()
      const crew = superviseCrew(servers, effects, 2)
      await crew.ready
      const before = await web.enqueueMany(work.quick, Array(20).fill(undefined))
      const job = await web.enqueue(work.crash, how)
      const after = await web.enqueueMany(work.quick, Array(20).fill(undefined))

      const during = []
      const end = job.result({ timeout: '120s' }).catch((error: Error) => error)
      for (let ended = false; !ended; ) {
        during.push(await web.enqueue(work.quick))
        ended = await Promise.race([end.then(() => true), pause(200)])
      }
      await Promise.all([...before, ...after, ...during].map((each) => each.result({ timeout: '120s' })))
      await crew.stop()

      expect(await end).toHaveProperty('message', expect.stringContaining('WorkerLostError'))
      expect(effects.of(job.id)).toEqual(['start 1', 'start 2', 'start 3'])
      const pids = effects.all().flatMap((effect) => (effect.jobId === job.id ? [effect.pid] : []))
      expect(crew.died()).toEqual(pids)

      const stored = await storedError(servers, job.id)
      expect(stored.workers).toMatchObject(
        pids.map((pid) => ({ name: `crew-${pid}`, host: hostname(), pid })),
      )
      for (const pid of pids)
        expect(stored.message).toContain(`crew-${pid} (process ${pid} on ${hostname()})`)

      const status = await job.status()
      expect(status).toMatchObject({
        state: 'failed',
        attempt: 3,
        error: {
          name: 'WorkerLostError',
          code: 'WORKER_LOST',
          message: 'The job took down 3 workers, and was given up.',
        },
      })
      expect(status.attempts.map(({ number, outcome }) => [number, outcome])).toEqual([
        [1, 'lost'],
        [2, 'lost'],
      ])
      expect(JSON.stringify(status)).not.toContain(hostname())
    },
  )

  test('does not have the jobs given up that are lost with it each time', async () => {
    const servers = await freshServers(kind)
    const web = await openJobs({ ...servers, lease: '2s', heartbeat: '400ms', tasks: { work } })
    const effects = newEffects()
    // All four are taken by the only worker there is, again and again.
    const innocent = await web.enqueueMany(work.rest, [500, 500, 500])
    const guilty = await web.enqueue(work.crash, 'SIGKILL')
    const crew = superviseCrew(servers, effects, 1, 4)
    await crew.ready

    await expect(guilty.result({ timeout: '120s' })).rejects.toThrow('WorkerLostError')
    await Promise.all(innocent.map((job) => job.result({ timeout: '120s' })))
    await crew.stop()

    expect(effects.of(guilty.id)).toEqual(['start 1', 'start 2', 'start 3'])
    for (const { id } of innocent) expect(effects.of(id).slice(0, 2)).toEqual(['start 1', 'start 2'])
  })
})

/** Keeps so many workers alive, as whatever restarts processes does. */
function superviseCrew(servers: Servers, effects: Effects, size: number, concurrency = 2) {
  const dead: number[] = []
  const alive = new Set<WorkerProcess>()
  let stopping = false
  const start = async (): Promise<void> => {
    const worker = await startWorkerProcess({
      ...servers,
      effects: effects.file,
      args: ['-c', String(concurrency), '-n', 'crew-%p'],
    })
    alive.add(worker)
    void worker.ended.then((how) => {
      alive.delete(worker)
      if (typeof how === 'string') dead.push(worker.pid)
      if (!stopping) start().catch(() => {})
    })
  }
  onTestFinished(() => {
    stopping = true
  })
  return {
    ready: Promise.all(Array.from({ length: size }, start)),
    /** Who was ended by a signal, in that order. */
    died: () => dead,
    async stop() {
      stopping = true
      for (const worker of alive) worker.signal('SIGTERM')
      await Promise.all([...alive].map((worker) => worker.ended))
    },
  }
}

async function storedError({ database }: Servers, jobId: string): Promise<StoredError> {
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  onTestFinished(() => client.end())
  const { rows } = await client.query<{ error: string }>('SELECT error FROM celeriac.job WHERE id = $1', [
    jobId,
  ])
  return JSON.parse(rows[0]?.error ?? '{}') as StoredError
}

function pause(ms: number): Promise<false> {
  return new Promise((resolve) => setTimeout(resolve, ms, false))
}
