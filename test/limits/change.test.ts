import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test, vi } from 'vitest'
import { ConfigError, UnknownTaskError } from '../../src/errors.js'
import { defineTask } from '../../src/task/define.js'
import { brokers, closeJobsAfterEach, freshServers, gate, openJobs } from '../support/lab.js'
import { until } from '../support/until.js'

closeJobsAfterEach()
vi.setConfig({ testTimeout: 60_000 })

/** How many run, and how many did at most. */
function counter() {
  const count = { now: 0, most: 0, ran: 0 }
  const during = async (work: Promise<unknown>) => {
    count.now += 1
    count.most = Math.max(count.most, count.now)
    await work
    count.now -= 1
    count.ran += 1
  }
  return { count, during }
}

describe.each(brokers)('limits that change on %s', (kind) => {
  test('a limit set on a task that had none binds the jobs that wait already, and lifting it lets them go', async () => {
    const servers = await freshServers(kind)
    const open = gate()
    const { count, during } = counter()
    const free = defineTask(() => during(open.passed))
    const web = await openJobs({ ...servers, tasks: { work: { free } } })
    const handles = await web.enqueueMany(free, Array(30).fill(undefined))
    await web.limits.set({ task: free }, { concurrency: 3 }, { by: 'ada' })

    await openJobs({ ...servers, tasks: { work: { free } }, worker: { concurrency: 40 } })
    await until(() => count.now === 3)
    await until(async () => (await web.limits.list())[0]?.waiting === 27)
    expect(count.now).toBe(3)
    expect(await web.limits.list()).toMatchObject([
      {
        scope: { task: 'work.free' },
        concurrency: 3,
        rateLimit: null,
        running: 3,
        set: { concurrency: 3, by: 'ada' },
      },
    ])
    // Nobody has tried: they were only looked at.
    expect(await handles.at(-1)?.status()).toMatchObject({ state: 'queued', attempt: 0, attempts: [] })

    await web.limits.set({ task: free }, { concurrency: null })
    await until(() => count.now === 30)
    open.open()
    await Promise.all(handles.map((job) => job.result()))
    expect(count.most).toBe(30)
  })

  test('a limit of the code is raised, lowered and reset while jobs run, everywhere within 5 s', async () => {
    const servers = await freshServers(kind)
    const { count, during } = counter()
    const single = defineTask({ concurrency: 1, run: () => during(sleep(100)) })
    const options = { ...servers, tasks: { work: { single } } }
    const web = await openJobs(options)
    await openJobs({ ...options, worker: { concurrency: 4 } })
    await openJobs({ ...options, worker: { concurrency: 4 } })
    const handles = await web.enqueueMany(single, Array(120).fill(undefined))
    await until(() => count.ran > 2)
    expect(count.most).toBe(1)

    await web.limits.set({ task: 'work.single' }, { concurrency: 6 })
    await until(() => count.now === 6)

    expect(await web.limits.reset({ task: 'work.single' })).toBe(true)
    expect(await web.limits.reset({ task: 'work.single' })).toBe(false)
    await until(() => count.now === 1)
    await Promise.all(handles.slice(0, 20).map((job) => job.result()))
    expect(count.most).toBe(6)
  })

  test('a queue’s limit holds for all of its tasks, and a queue beside it runs free', async () => {
    const servers = await freshServers(kind)
    const [mail, other] = [counter(), counter()]
    const welcome = defineTask({ queue: 'mail', run: () => mail.during(sleep(30)) })
    const invoice = defineTask({ queue: 'mail', run: () => mail.during(sleep(30)) })
    const free = defineTask(() => other.during(sleep(30)))
    const jobs = await openJobs({
      ...servers,
      tasks: { work: { welcome, invoice, free } },
      queues: { mail: { concurrency: 2 } },
      worker: { concurrency: 12 },
    })

    const handles = [
      ...(await jobs.enqueueMany(welcome, Array(10).fill(undefined))),
      ...(await jobs.enqueueMany(invoice, Array(10).fill(undefined))),
      ...(await jobs.enqueueMany(free, Array(20).fill(undefined))),
    ]
    await Promise.all(handles.map((job) => job.result()))

    expect(mail.count.most).toBe(2)
    expect(other.count.most).toBeGreaterThan(2)
    expect(await jobs.limits.list()).toMatchObject([{ scope: { queue: 'mail' }, concurrency: 2, waiting: 0 }])
  })

  test('jobs of a process whose code knows no limit are bound by the worker’s, by their keys', async () => {
    const servers = await freshServers(kind)
    const { count, during } = counter()
    const old = defineTask(async (_: { tenant: string }) => {})
    const limited = defineTask({
      concurrency: { key: 1 },
      key: ({ tenant }: { tenant: string }) => tenant,
      run: () => during(sleep(20)),
    })
    const web = await openJobs({ ...servers, tasks: { work: { sync: old } } })
    const handles = await web.enqueueMany(old, Array(20).fill({ tenant: 'one' }))

    await openJobs({ ...servers, tasks: { work: { sync: limited } }, worker: { concurrency: 10 } })
    await Promise.all(handles.map((job) => job.result()))

    expect(count).toMatchObject({ most: 1, ran: 20 })
    expect(await handles[3]?.status()).toMatchObject({ attempt: 1, attempts: [] })
  })

  test('what is no limit is refused, and changes nothing', async () => {
    const plain = defineTask(async () => {})
    const jobs = await openJobs({ ...(await freshServers(kind)), tasks: { work: { plain } } })

    await expect(jobs.limits.set({ task: 'work.plian' }, { concurrency: 1 })).rejects.toThrow(
      UnknownTaskError,
    )
    const wrong = [
      [{ task: plain }, { rateLimit: 'fast' }],
      [{ task: plain }, { concurrency: 0 }],
      [{ task: plain }, {}],
      [{ task: plain }, { speed: 1 }],
      [{ task: plain }, { concurrency: { key: 1 } }],
      [{ queue: 'mail' }, { rateLimit: { key: '1/s' } }],
      [{ queue: 'ma il' }, { concurrency: 1 }],
      [{ queue: 'mail', task: plain }, { concurrency: 1 }],
      [{}, { concurrency: 1 }],
    ] as const
    for (const [scope, limits] of wrong)
      await expect(jobs.limits.set(scope as never, limits as never)).rejects.toThrow(ConfigError)

    expect(await jobs.limits.list()).toEqual([])
  })
})
