import express from 'express'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import * as work from '../fixtures/cancel/modules/work/tasks.js'
import { serve } from '../http/app.js'
import { listen, type ServerSent } from '../http/event-client.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs } from '../support/lab.js'
import { until } from '../support/until.js'
import { newEffects, startWorkerProcess } from '../support/worker-process.js'

closeJobsAfterEach()
// Each test starts processes, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 120_000 })

describe.each(brokers)('events of a job in another process, with the broker on %s', (kind) => {
  test('go from one worker to the next when the first is killed, each line once and in order', async () => {
    const { servers, web, url } = await openWeb()
    const effects = newEffects()
    const options = { ...servers, app: 'test/fixtures/cancel', effects: effects.file }
    const first = await startWorkerProcess(options)
    const job = await web.enqueue(work.chatty, 60)
    const client = await listen(`${url}/jobs/${job.id}/events`)
    await client.sees('log', ({ message }: { message: string }) => message === '1.10')

    first.signal('SIGKILL')
    await startWorkerProcess(options)
    const events = await until(() => client.hasEnded && client.events, { timeoutMs: 60_000 })

    const lines = messagesOf(events || [])
    const [killed, second] = [lines.filter((line) => line.startsWith('1.')), lines.slice(-60)]
    expect(lines).toEqual([...killed, ...second])
    expect(killed).toEqual(killed.map((_, n) => `1.${n + 1}`))
    expect(second).toEqual(second.map((_, n) => `2.${n + 1}`))
    expect((await job.logs()).map(({ message }) => message)).toEqual(lines)
    expect((events || []).at(-1)).toMatchObject({ data: { state: 'succeeded', attempt: 2 } })
  })

  test('are the same for many clients at once', async () => {
    const { servers, web, url } = await openWeb()
    const effects = newEffects()
    await startWorkerProcess({ ...servers, app: 'test/fixtures/cancel', effects: effects.file })
    const jobs = await web.enqueueMany(work.chatty, [30, 30, 30])

    const clients = await Promise.all(
      jobs.flatMap(({ id }) => Array.from({ length: 20 }, () => listen(`${url}/jobs/${id}/events`))),
    )

    const said = Array.from({ length: 30 }, (_, n) => `1.${n + 1}`)
    for (const client of clients) {
      const events = await client.ended()
      expect(messagesOf(events)).toEqual(said)
      expect(events.at(-1)).toMatchObject({ event: 'state', data: { state: 'succeeded' } })
    }
  })

  async function openWeb() {
    const servers = await freshServers(kind)
    const web = await openJobs({ ...servers, lease: '2s', heartbeat: '400ms', tasks: { work } })
    const { url, close } = await serve(express().use(web))
    onTestFinished(close)
    return { servers, web, url }
  }
})

function messagesOf(events: readonly ServerSent[]): string[] {
  return events
    .filter(({ event }) => event === 'log')
    .map(({ data }) => (data as { message: string }).message)
}
