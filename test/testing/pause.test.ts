import { expect, onTestFinished, test } from 'vitest'
import { defineTask } from '../../src/task/define.js'
import { createTestJobs } from '../../src/testing/index.js'

const tasks = {
  mail: {
    send: defineTask({ queue: 'mail', run: (to: string) => to }),
    slowly: defineTask({ queue: 'mail', rateLimit: '100/s', run: (to: string) => to }),
    file: defineTask({ queue: 'archive', run: (to: string) => to }),
  },
}

test.each(['fake', 'eager'] as const)(
  'a paused queue waits until it is resumed, in %s mode',
  async (mode) => {
    const jobs = createTestJobs({ tasks, mode })
    onTestFinished(() => jobs.close())
    await jobs.ready()

    expect(await jobs.control.pause('mail', { by: 'ann' })).toMatchObject({
      replies: [{ value: { paused: ['mail'] } }],
      silent: [],
    })
    const held = [await jobs.enqueue(tasks.mail.send, 'ann'), await jobs.enqueue(tasks.mail.slowly, 'ann')]
    // Nobody serves it by its name.
    const elsewhere = await jobs.enqueue(tasks.mail.send, 'bob', { queue: 'elsewhere' })
    await jobs.control.pause('elsewhere')
    const other = await jobs.enqueue(tasks.mail.file, 'ann')
    await jobs.drain()

    expect((await other.status()).state).toBe('succeeded')
    for (const job of held) expect((await job.status()).state).toBe('queued')
    if (mode === 'fake') expect((await elsewhere.status()).state).toBe('queued')

    await jobs.control.resume('mail')
    await jobs.control.resume('elsewhere')
    await jobs.drain()
    for (const job of [...held, elsewhere]) expect((await job.status()).state).toBe('succeeded')
  },
)
