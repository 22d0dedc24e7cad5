import { describe, expect, test, vi } from 'vitest'
import type { Celeriac } from '../../src/plugin.js'
import * as work from '../fixtures/crew/modules/work/tasks.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs, type Servers } from '../support/lab.js'
import { until } from '../support/until.js'
import { newEffects, startWorkerProcess } from '../support/worker-process.js'

closeJobsAfterEach()
// Each test starts processes, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 })

const lease = { lease: '2s', heartbeat: '400ms' } as const

function openWeb(servers: Servers): Promise<Celeriac> {
  return openJobs({ ...servers, ...lease, tasks: { work } })
}

describe.each(brokers)('workers on %s that die, freeze or block', (kind) => {
  test('a job whose worker gets kill -9 runs again elsewhere, and its row shows both attempts (F1)', async () => {
    const servers = await freshServers(kind)
    const web = await openWeb(servers)
    const effects = newEffects()
    const first = await startWorkerProcess({ ...servers, effects: effects.file })
    const job = await web.enqueue(work.slowAtFirst, 60_000)
    await until(() => effects.of(job.id).includes('start 1'))
    await startWorkerProcess({ ...servers, effects: effects.file })

    first.signal('SIGKILL')
    const killedAt = Date.now()
    expect(await job.result()).toBe(2)

    expect(Date.now() - killedAt).toBeLessThan(20_000)
    expect(effects.of(job.id)).toEqual(['start 1', 'start 2', 'end 2'])
    expect(await job.status()).toMatchObject({
      state: 'succeeded',
      attempt: 2,
      attempts: [{ number: 1, outcome: 'lost', error: { code: 'WORKER_LOST' } }],
    })
  })

  test('an attempt that was paused past its lease and goes on later writes nothing (F7)', async () => {
    const servers = await freshServers(kind)
    const web = await openWeb(servers)
    const effects = newEffects()
    const frozen = await startWorkerProcess({ ...servers, effects: effects.file })
    const job = await web.enqueue(work.slowAtFirst, 1000)
    await until(() => effects.of(job.id).includes('start 1'))

    frozen.signal('SIGSTOP')
    await startWorkerProcess({ ...servers, effects: effects.file })
    expect(await job.result()).toBe(2)
    const ended = await job.status()
    frozen.signal('SIGCONT')
    await until(() => effects.of(job.id).includes('end 1'))
    await until(
      () => frozen.output().includes('given to another worker') || frozen.output().includes('begins anew'),
    )

    expect(await job.status()).toEqual(ended)
    // It lives on under a new name, and is of use again.
    await until(() => frozen.output().includes('begins anew'))
  })

  test('a job that blocks the event loop far past the lease runs once and succeeds (F8)', async () => {
    const servers = await freshServers(kind)
    const web = await openWeb(servers)
    const effects = newEffects()
    await startWorkerProcess({ ...servers, effects: effects.file, args: ['-c', '2'] })
    await startWorkerProcess({ ...servers, effects: effects.file, args: ['-c', '2'] })

    const job = await web.enqueue(work.block, 8000)
    expect(await job.result()).toBe(1)

    expect(effects.of(job.id)).toEqual(['start 1', 'end 1'])
    expect((await job.status()).attempts).toEqual([])
  })

  test('jobs that were claimed behind one that blocks go to another worker', async () => {
    const servers = await freshServers(kind)
    const web = await openWeb(servers)
    const effects = newEffects()
    const busy = await startWorkerProcess({ ...servers, effects: effects.file, args: ['-c', '1'] })
    const blocking = await web.enqueue(work.block, 12_000)
    const behind = await web.enqueueMany(work.quick, Array(20).fill(undefined))
    await until(() => effects.of(blocking.id).includes('start 1'))

    const free = await startWorkerProcess({ ...servers, effects: effects.file, args: ['-c', '1'] })
    await Promise.all(behind.map((job) => job.result()))

    const ranBy = new Set(behind.map((job) => effects.pidOf(job.id)))
    expect(ranBy).not.toContain(busy.pid)
    expect(ranBy).toContain(free.pid)
    expect(effects.of(blocking.id)).toEqual(['start 1'])
    await blocking.result()
  })

  test('a job that blocks past its time limit takes its process down, and runs elsewhere', async () => {
    const servers = await freshServers(kind)
    const web = await openWeb(servers)
    const effects = newEffects()
    const first = await startWorkerProcess({ ...servers, effects: effects.file, args: ['--grace', '500ms'] })
    const job = await web.enqueue(work.blockPastItsLimit)
    await until(() => effects.of(job.id).includes('start 1'))
    await startWorkerProcess({ ...servers, effects: effects.file, args: ['--grace', '500ms'] })

    expect(await first.ended).toBe('SIGKILL')
    expect(first.output()).toContain(`job ${job.id} has blocked the event loop past its time limit`)
    expect(await job.result()).toBe(2)
  })

  test('a job that kills each worker is given up after three, and others run on (F5)', async () => {
    const servers = await freshServers(kind)
    const web = await openWeb(servers)
    const effects = newEffects()
    const workers = [1, 2, 3].map(() =>
      startWorkerProcess({ ...servers, effects: effects.file, args: ['-c', '1'] }),
    )
    await Promise.all(workers)
    const job = await web.enqueue(work.poison)

    await expect(job.result({ timeout: '25s' })).rejects.toThrow('WorkerLostError')

    expect(effects.of(job.id)).toEqual(['start 1', 'start 2', 'start 3'])
    await startWorkerProcess({ ...servers, effects: effects.file })
    expect(await (await web.enqueue(work.quick)).result()).toBeGreaterThan(0)
  })
})
