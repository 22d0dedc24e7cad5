import pg from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { toBoardJob } from '../../src/dashboard/board/job.js'
import { ConfigError } from '../../src/errors.js'
import { createRedactor } from '../../src/job/redact.js'
import { createPrismaStore } from '../../src/store/prisma.js'
import { type AnyTask, defineTask } from '../../src/task/define.js'
import { brokers, closeJobsAfterEach, freshServers, openJobs } from '../support/lab.js'

closeJobsAfterEach()

const card = { number: '4111 1111 1111 1111', holder: 'Ada' }

async function rowOf(database: string, id: string): Promise<{ payload: string; result: string | null }> {
  const client = new pg.Client({ connectionString: database })
  await client.connect()
  try {
    const { rows } = await client.query('SELECT payload, result FROM celeriac.job WHERE id = $1', [id])
    return rows[0]
  } finally {
    await client.end()
  }
}

async function boardOf(database: string, id: string): Promise<string> {
  const log = { warn() {} }
  const store = createPrismaStore({ url: database, directUrl: database, deadlineMs: 5000, log })
  onTestFinished(() => store.close())
  const job = await store.find(id)
  if (!job) throw new Error('no such job')
  const [listed] = await store.listJobs({ queue: 'default', jobs: 'failed', limit: 10, offset: 0 })
  return JSON.stringify([toBoardJob(job, []), listed ?? null])
}

describe.each(brokers)('redacted fields on %s', (kind) => {
  test('reach the handler, and are gone from the row once the job has succeeded', async () => {
    const servers = await freshServers(kind)
    const seen: string[] = []
    const charge = defineTask({
      redact: ['payload.card.number', 'result.token'],
      run: ({ card: { number } }: { card: typeof card }) => {
        seen.push(number)
        return { token: 'secret', amount: 5 }
      },
    })
    await openJobs({ ...servers, tasks: { shop: { charge } }, worker: true })

    const job = await charge.enqueue({ card })

    expect(await job.result()).toEqual({ token: '[redacted]', amount: 5 })
    expect(seen).toEqual([card.number])
    const row = await rowOf(servers.database, job.id)
    expect(JSON.parse(row.payload)).toEqual({ card: { number: '[redacted]', holder: 'Ada' } })
    expect(JSON.parse(row.result ?? '')).toEqual({ token: '[redacted]', amount: 5 })
  })

  test('do not make a repeated request look like another one', async () => {
    const charge = defineTask({ redact: ['payload.card.number'], run: (_: { card: typeof card }) => {} })
    await openJobs({ ...(await freshServers(kind)), tasks: { shop: { charge } }, worker: true })

    const job = await charge.enqueue({ card }, { idempotencyKey: 'order-1' })
    await job.result()

    const again = await charge.enqueue({ card }, { idempotencyKey: 'order-1' })
    expect([again.id, again.created]).toEqual([job.id, false])
  })

  test('of a failed job are shown nowhere, and a retry by hand gets them all the same', async () => {
    const servers = await freshServers(kind)
    const seen: string[] = []
    const charge = defineTask(({ secret, attempts }: { secret: string; attempts: number }) => {
      seen.push(secret)
      if (seen.length < attempts) throw new Error('declined')
    })
    const jobs = await openJobs({
      ...servers,
      tasks: { shop: { charge } },
      worker: true,
      redact: ['payload.secret'],
    })

    const job = await charge.enqueue({ secret: 'open sesame', attempts: 2 })
    await expect(job.result()).rejects.toThrow('declined')

    const shown = await boardOf(servers.database, job.id)
    expect(shown).not.toContain('open sesame')
    expect(shown).toContain('[redacted]')
    expect(await jobs.retry(job.id)).toBe(true)
    await job.result()
    expect(seen).toEqual(['open sesame', 'open sesame'])
    expect((await rowOf(servers.database, job.id)).payload).not.toContain('open sesame')
  })
})

describe('redact', () => {
  test('knows lists, odd names and wildcards', () => {
    const hide = createRedactor(['payload.items[*].key', 'payload["odd name"]', 'result.*.token'])

    expect(
      hide({
        payload: { items: [{ key: 1, id: 2 }, { id: 3 }], 'odd name': { a: 1 }, kept: null },
        result: { a: { token: 1 }, b: 2 },
      }),
    ).toEqual({
      payload: {
        items: [{ key: '[redacted]', id: 2 }, { id: 3 }],
        'odd name': '[redacted]',
        kept: null,
      },
      result: { a: { token: '[redacted]' }, b: 2 },
    })
  })

  test.each([['password'], ['payload'], ['payload..x'], [7], ['owner.x'], ['payloadx.y']])(
    'refuses the path %j with what a path looks like',
    (path) => {
      const define = (): AnyTask => defineTask({ redact: [path as 'payload.x'], run: () => {} })

      expect(define).toThrow(ConfigError)
      expect(define).toThrow("such as 'payload.card.number'")
    },
  )
})
