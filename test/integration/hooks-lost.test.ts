import { describe, expect, test, vi } from 'vitest'
import { eventNames } from '../../src/telemetry/events.js'
import * as work from '../fixtures/crew/modules/work/tasks.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs } from '../support/lab.js'
import { until } from '../support/until.js'
import { newEffects, startWorkerProcess } from '../support/worker-process.js'

closeJobsAfterEach()
vi.setConfig({ testTimeout: 120_000 })

describe.each(brokers)('hooks of jobs whose worker is killed, on %s', (kind) => {
  test('are called by the process that finds it so', async () => {
    const servers = await freshServers(kind)
    const called: string[] = []
    const told: string[] = []
    const web = await openJobs({
      ...servers,
      lease: '2s',
      heartbeat: '400ms',
      maxLost: 2,
      tasks: { work },
      hooks: {
        onFailure: ({ job, error, payload, ms }) =>
          void called.push(`onFailure ${job.id} ${error.name} ${payload} ${ms}`),
        onCancel: ({ job, by, reason }) => void called.push(`onCancel ${job.id} ${by} ${reason}`),
        onEnd: ({ job, state }) => void called.push(`onEnd ${job.id} ${state}`),
      },
    })
    for (const name of eventNames)
      web.on(name, (event) => void told.push('job' in event ? `${name} ${event.job.id}` : name))
    const effects = newEffects()
    const first = await startWorkerProcess({ ...servers, effects: effects.file })
    const doomed = await web.enqueue(work.rest, 60_000)
    const unwanted = await web.enqueue(work.deaf, 60_000)
    const hasStarted = (id: string, attempt: number) => effects.of(id).includes(`start ${attempt}`)
    await until(() => hasStarted(doomed.id, 1) && hasStarted(unwanted.id, 1))

    expect(await unwanted.cancel({ by: 'ada', reason: 'no more' })).toBe('cancelling')
    first.signal('SIGKILL')
    await until(() => told.includes(`job.lost ${doomed.id}`), { timeoutMs: 30_000 })
    const second = await startWorkerProcess({ ...servers, effects: effects.file })
    await until(() => hasStarted(doomed.id, 2))
    second.signal('SIGKILL')
    await until(() => called.includes(`onEnd ${doomed.id} failed`), { timeoutMs: 30_000 })

    expect(called).toEqual([
      `onCancel ${unwanted.id} ada no more`,
      `onEnd ${unwanted.id} cancelled`,
      `onFailure ${doomed.id} WorkerLostError 60000 null`,
      `onEnd ${doomed.id} failed`,
    ])
    expect(told.filter((each) => each === 'worker.lost')).toHaveLength(2)
    expect(told).toContain(`job.failed ${doomed.id}`)
    expect(told).toContain(`job.cancelled ${unwanted.id}`)
  })
})
