import { describe, expect, onTestFinished, test } from 'vitest'
import { BrokerUnavailableError, StoreUnavailableError } from '../../src/errors.js'
import { celeriac } from '../../src/plugin.js'
import { defineTask } from '../../src/task/define.js'
import { freshDatabase, startPostgres, startRedis } from '../support/servers.js'
import { until } from '../support/until.js'

const greet = () => defineTask(() => 'hello')

/** Opens an app whose servers may not be there. */
function open(options: Parameters<typeof celeriac>[0]) {
  const jobs = celeriac({ logger: 'silent', ...options })
  onTestFinished(() => jobs.close())
  return jobs
}

const isBrokerAway = ({ code }: { readonly code: string }) => code === 'broker-away'

describe('servers that nobody answers for', () => {
  test('without a store, an enqueue fails within its deadline and says what to look at; later it works by itself', async () => {
    const postgres = await startPostgres()
    onTestFinished(() => postgres.stop())
    await postgres.stop()
    const task = greet()
    const jobs = open({ database: postgres.url, tasks: { hello: { task } }, deadline: '1s', worker: true })
    const asked = performance.now()

    const refused = await task.enqueue().catch((error: unknown) => error)

    expect(performance.now() - asked).toBeLessThan(5000)
    expect(refused).toBeInstanceOf(StoreUnavailableError)
    expect(refused).toHaveProperty('message', expect.stringContaining(`127.0.0.1:${postgres.port}`))
    expect(refused).not.toHaveProperty('message', expect.stringContaining('secret'))

    await postgres.start()
    await until(() => jobs.ready().then(() => true))
    expect(await (await task.enqueue()).result()).toBe('hello')
  })

  test('without a broker, jobs are accepted all the same, and run when it comes', async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    await redis.stop()
    const task = greet()
    const jobs = open({
      database: await freshDatabase(),
      broker: redis.url,
      tasks: { hello: { task } },
      deadline: '1s',
      worker: true,
    })
    await expect(jobs.ready()).rejects.toBeInstanceOf(BrokerUnavailableError)

    const job = await task.enqueue()
    expect((await job.status()).state).toBe('queued')

    await redis.start()
    expect(await job.result()).toBe('hello')
  })

  test('while the broker is away, jobs with limits start and others wait, and that is what the status says', async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.stop())
    const free = greet()
    const limited = defineTask({ concurrency: 1, run: () => 'hello' })
    const jobs = open({
      database: await freshDatabase(),
      broker: redis.url,
      tasks: { hello: { free, limited } },
      deadline: '5s',
      worker: true,
    })
    await until(() => jobs.ready().then(() => true), { timeoutMs: 30_000 })
    await (await free.enqueue()).result()
    await redis.kill()

    const waits = await free.enqueue()
    const starts = await limited.enqueue()

    expect(await starts.result()).toBe('hello')
    expect((await waits.status()).state).toBe('queued')
    const told = await until(async () => (await jobs.status()).problems.find(isBrokerAway), {
      timeoutMs: 15_000,
    })
    expect(told.message).toContain('Those with limits start all the same')
    expect((await jobs.readiness()).reasons.find(isBrokerAway)?.message).toContain('those with limits')

    await redis.start()
    expect(await waits.result()).toBe('hello')
  })

  test('a store that goes away under a running job gets its result when it returns; the job is not run again', async () => {
    const postgres = await startPostgres()
    onTestFinished(() => postgres.stop())
    let runs = 0
    let finish: () => void = () => {}
    const task = defineTask(async () => {
      runs += 1
      await new Promise<void>((resolve) => {
        finish = resolve
      })
      return 'kept'
    })
    const jobs = open({ database: postgres.url, tasks: { work: { task } }, deadline: '1s', worker: true })
    await jobs.ready()
    const job = await task.enqueue()
    await until(() => runs === 1)

    await postgres.kill()
    finish()
    await expect(job.status()).rejects.toBeInstanceOf(StoreUnavailableError)
    await postgres.start()

    await until(async () => (await job.status()).state === 'succeeded')
    expect(await job.status()).toMatchObject({ result: 'kept', attempt: 1 })
    expect(runs).toBe(1)
  })
})
