import { spawnSync } from 'node:child_process'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Celeriac } from '../../src/plugin.js'
import { defineTask } from '../../src/task/define.js'
import * as work from '../fixtures/crew/modules/work/tasks.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs, type Servers } from '../support/lab.js'
import { freshDatabase, startPostgres, startRedis } from '../support/servers.js'
import { until } from '../support/until.js'
import { newEffects, startWorkerProcess, type WorkerProcess } from '../support/worker-process.js'

closeJobsAfterEach()
vi.setConfig({ testTimeout: 180_000 })

const lease = { lease: '2s', heartbeat: '400ms' } as const
const patient = { timeoutMs: 60_000 }
/** What a process may take beyond its grace on a busy machine: for the aborted handlers, the goodbye and the exit. */
const exitMs = 15_000

function openWeb(servers: Servers): Promise<Celeriac> {
  return openJobs({ ...servers, ...lease, tasks: { work } })
}

describe.each(brokers)('a worker on %s that is told to stop (F11)', (kind) => {
  test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'by %s: takes no more, finishes what runs, and exits with 0',
    async (signal) => {
      const servers = await freshServers(kind)
      const web = await openWeb(servers)
      const effects = newEffects()
      const worker = await startWorkerProcess({ ...servers, effects: effects.file, args: ['-c', '2'] })
      const running = await web.enqueueMany(work.rest, [3000, 3000])
      await until(() => running.every(({ id }) => effects.of(id).includes('start 1')), patient)

      worker.signal(signal)
      await until(() => worker.output().includes('Stopping: waiting up to 30 s for 2 jobs.'), patient)
      const late = await web.enqueue(work.quick)

      expect(await worker.ended).toBe(0)
      expect(await Promise.all(running.map((job) => job.result()))).toEqual([worker.pid, worker.pid])
      expect(await late.status()).toMatchObject({ state: 'queued', attempt: 0 })
      expect(worker.output()).toContain('Stopped.')
    },
  )

  test('aborts after its grace, gives back, and another worker has the jobs before the backlog', async () => {
    const servers = await freshServers(kind)
    const web = await openWeb(servers)
    const effects = newEffects()
    const first = await startWorkerProcess({
      ...servers,
      effects: effects.file,
      args: ['-c', '2', '--grace', '500ms'],
    })
    const long = await web.enqueueMany(work.rest, [60_000, 60_000])
    await until(() => long.every(({ id }) => effects.of(id).includes('start 1')), patient)
    const backlog = await web.enqueueMany(work.rest, Array(500).fill(100))
    const second = await startWorkerProcess({ ...servers, effects: effects.file, args: ['-c', '4'] })
    await until(() => effects.all().some(({ pid }) => pid === second.pid), patient)

    first.signal('SIGTERM')
    await until(() => long.every(({ id }) => effects.of(id).includes('start 2')), patient)

    const events = effects.all()
    const place = (event: string, at: number) =>
      events.findIndex(
        (each) => each.event === event && each.jobId === long[at]?.id && each.attempt === at1(event),
      )
    const at1 = (event: string) => (event === 'aborted' ? 1 : 2)
    for (const at of [0, 1]) {
      const between = events.slice(place('aborted', at), place('start', at))
      const overtaken = new Set(backlog.map(({ id }) => id))
      // Those that the second worker had taken by then, and those that end within a second.
      expect(
        between.filter(({ event, jobId }) => event === 'start' && overtaken.has(jobId)).length,
      ).toBeLessThan(60)
    }
    expect(await first.ended).toBe(0)
    expect(first.output()).toContain('2 jobs are asked to stop')
    expect(first.output()).toContain('2 jobs were given back')
    for (const job of long) {
      expect(await job.status()).toMatchObject({
        state: 'running',
        attempt: 2,
        attempts: [{ number: 1, outcome: 'returned' }],
      })
      await job.cancel()
    }
  })

  test('cuts off a handler that heeds no signal, and exits', async () => {
    const servers = await freshServers(kind)
    const web = await openWeb(servers)
    const effects = newEffects()
    const first = await startWorkerProcess({
      ...servers,
      effects: effects.file,
      args: ['-c', '1', '--grace', '200ms'],
    })
    const job = await web.enqueue(work.deaf, 60_000)
    await until(() => effects.of(job.id).includes('start 1'), patient)
    const second = await startWorkerProcess({ ...servers, effects: effects.file })

    const told = performance.now()
    first.signal('SIGTERM')

    expect(await first.ended).toBe(0)
    expect(performance.now() - told).toBeLessThan(exitMs)
    expect(first.output()).toContain('1 job does not heed the signal')
    expect(await job.result()).toBe(second.pid)
    expect(effects.of(job.id)).toEqual(['start 1', 'start 2', 'end 2'])
  })

  test('stops at once when it is told again', async () => {
    const servers = await freshServers(kind)
    const web = await openWeb(servers)
    const effects = newEffects()
    const worker = await startWorkerProcess({
      ...servers,
      effects: effects.file,
      args: ['--grace', '10m'],
    })
    const job = await web.enqueue(work.rest, 600_000)
    await until(() => effects.of(job.id).includes('start 1'), patient)

    const told = performance.now()
    worker.signal('SIGINT')
    await until(
      () => {
        worker.signal('SIGINT')
        return worker.output().includes('Stopping at once')
      },
      { everyMs: 600, ...patient },
    )

    expect(await worker.ended).toBe(0)
    expect(performance.now() - told).toBeLessThan(exitMs)
    expect(worker.output()).toContain('waiting up to 10 min for 1 job. Send a second signal to stop at once.')
    expect(await job.status()).toMatchObject({ state: 'queued', attempts: [{ outcome: 'returned' }] })
  })

  test('does the same inside a web process, at close()', async () => {
    const servers = await freshServers(kind)
    const seen: string[] = []
    const patientTask = defineTask(async (ms: number, { signal, attempt }) => {
      if (attempt > 1) return attempt
      seen.push('start')
      await new Promise<void>((resolve, reject) => {
        setTimeout(resolve, ms)
        signal.addEventListener('abort', () => reject(signal.reason))
      })
      return attempt
    })
    const tasks = { work: { patientTask } }
    const first = await openJobs({ ...servers, ...lease, tasks, worker: { concurrency: 2, grace: '1s' } })
    const quick = await first.enqueue(patientTask, 500)
    const long = await first.enqueue(patientTask, 600_000)
    await until(() => seen.length === 2, patient)

    await first.close()
    const second = await openJobs({ ...servers, ...lease, tasks, worker: true })

    expect(await second.job(quick.id).status()).toMatchObject({ state: 'succeeded', attempt: 1 })
    expect(await second.job(long.id).result()).toBe(2)
  })
})

describe('a worker that is told to stop while a server is away', () => {
  /** The grace, 2 s for handlers, 10 s for results, 5 s for the broker, 10 s for the rest; and a busy machine. */
  const bounded = 45_000

  test.each(['kill', 'freeze'] as const)('exits, though its store does not answer (%s)', async (how) => {
    const postgres = await startPostgres()
    onTestFinished(() => endServer(postgres.pid, () => postgres.kill()))
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const { worker, told } = await stopWithout({ database: postgres.url, broker: redis.url }, async () => {
      if (how === 'kill') await postgres.kill()
      else freeze(postgres.pid)
    })

    expect(await worker.ended).toBe(0)
    expect(performance.now() - told()).toBeLessThan(bounded)
    expect(worker.output()).toContain('1 job is left to the pass for lost workers')
  })

  test.each(['kill', 'freeze'] as const)('exits, though its broker does not answer (%s)', async (how) => {
    const redis = await startRedis()
    onTestFinished(() => endServer(redis.pid, () => redis.kill()))
    const servers = { database: await freshDatabase(), broker: redis.url }
    const { worker, told } = await stopWithout(servers, async () => {
      if (how === 'kill') await redis.kill()
      else freeze(redis.pid)
    })

    expect(await worker.ended).toBe(0)
    expect(performance.now() - told()).toBeLessThan(bounded)
    expect(worker.output()).toContain('1 job was given back')
  })

  test('exits, though both are the same server and it does not answer', async () => {
    const postgres = await startPostgres()
    onTestFinished(() => endServer(postgres.pid, () => postgres.kill()))
    const { worker, told } = await stopWithout({ database: postgres.url }, async () => freeze(postgres.pid))

    expect(await worker.ended).toBe(0)
    expect(performance.now() - told()).toBeLessThan(bounded)
  })

  async function stopWithout(
    servers: Servers,
    away: () => Promise<void>,
  ): Promise<{ worker: WorkerProcess; told: () => number }> {
    const effects = newEffects()
    const web = await openWeb(servers)
    const worker = await startWorkerProcess({
      ...servers,
      effects: effects.file,
      args: ['-c', '1', '--grace', '200ms'],
    })
    const job = await web.enqueue(work.rest, 600_000)
    await until(() => effects.of(job.id).includes('start 1'), patient)
    await away()
    const at = performance.now()
    worker.signal('SIGTERM')
    return { worker, told: () => at }
  }
})

/** Its sockets stay open, and nothing answers. */
function freeze(pid: number | undefined): void {
  for (const each of familyOf(pid)) process.kill(each, 'SIGSTOP')
}

async function endServer(pid: number | undefined, kill: () => Promise<void>): Promise<void> {
  for (const each of familyOf(pid)) process.kill(each, 'SIGCONT')
  await kill()
}

/** A server and the processes that serve its sessions. */
function familyOf(pid: number | undefined): number[] {
  if (pid === undefined) return []
  const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' })
  return [pid, ...stdout.split('\n').map(Number).filter(Boolean)]
}
