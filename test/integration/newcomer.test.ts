import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { defineTask } from '../../src/task/define.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs } from '../support/lab.js'
import { until } from '../support/until.js'

closeJobsAfterEach()

const root = fileURLToPath(new URL('../..', import.meta.url))

describe.each(brokers)('a newcomer on %s', (kind) => {
  test('who has no worker running is told so, in the log and in the status', async () => {
    const lines: string[] = []
    const greet = defineTask(() => 'hello')
    const servers = await freshServers(kind)
    const tasks = { hello: { greet } }
    await openJobs({ ...servers, tasks, logger: listeningLogger(lines) })
    const job = await greet.enqueue()
    expect(await job.status()).not.toHaveProperty('waitingFor')

    await until(() =>
      lines.some((line) => line.includes('Jobs wait in queue "default", and no worker serves it.')),
    )
    expect(await job.status()).toMatchObject({ state: 'queued', waitingFor: 'worker' })

    await openJobs({ ...servers, tasks, worker: true })
    expect(await job.result()).toBe('hello')
  })

  test('writes a script that enqueues and ends, and it does not hang', async () => {
    const { database, broker } = await freshServers(kind)
    const script = `
      import { celeriac, defineTask } from 'celeriac'
      const add = defineTask(({ a, b }) => a + b)
      const jobs = celeriac({ tasks: { math: { add } }, logger: 'warn' })
      const job = await add.enqueue({ a: 1, b: 2 })
      console.log(job.id, (await job.status()).state)
    `
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: root,
      env: { ...process.env, CELERIAC_DATABASE_URL: database, CELERIAC_BROKER_URL: broker ?? database },
    })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    child.stderr.on('data', (chunk) => {
      output += chunk
    })
    const code = await new Promise((resolve) => child.once('exit', resolve))

    expect(code, output).toBe(0)
    const [id = '', state] = output.trim().split(' ')
    expect(state).toBe('queued')

    // Its delivery reached the broker, or a pass sends it.
    const add = defineTask(({ a, b }: { a: number; b: number }) => a + b)
    const jobs = await openJobs({
      database,
      ...(broker ? { broker } : {}),
      tasks: { math: { add } },
      worker: true,
    })
    expect(await jobs.job(id).result()).toBe(3)
  })
})

function listeningLogger(lines: string[]): never {
  const write = (...args: unknown[]) => {
    lines.push(args.map(String).join(' '))
  }
  const logger = { trace() {}, debug() {}, info: write, warn: write, error: write, child: () => logger }
  return logger as never
}
