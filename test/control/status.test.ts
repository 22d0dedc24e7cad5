import { expect, test } from 'vitest'
import { clusterStatus, unservedQueues } from '../../src/control/status.js'
import type { Depth, KnownWorker, QueueLoad, Setting } from '../../src/store/store.js'
import type { Health } from '../../src/telemetry/health.js'

const now = new Date('2026-11-23T12:00:00Z')
const ago = (ms: number) => new Date(now.getTime() - ms)

const well: KnownWorker = {
  ...{
    id: '1',
    name: 'w@a',
    host: 'a',
    pid: 7,
    queues: ['default'],
    tasks: [],
    concurrency: 2,
    pool: 'inline',
  },
  ...{ version: '0', nodeVersion: 'v20', appVersion: null, config: '{}', configHash: '', missed: 0, now },
  ...{ startedAt: ago(60_000), seenAt: ago(1000), stoppedAt: null, lostAt: null },
  ...{ report: '{"running":1,"reasons":[]}', reportedAt: ago(2000) },
}

interface Scene {
  readonly health?: Health
  readonly workers?: readonly Partial<KnownWorker>[]
  readonly loads?: readonly Partial<QueueLoad>[]
  readonly paused?: readonly string[]
  readonly lacksTables?: boolean
  readonly depths?: readonly Depth[]
}

function depsOf({
  health,
  workers = [{}],
  loads = [],
  paused = [],
  lacksTables = false,
  depths = [],
}: Scene) {
  const rows = workers.map((worker) => ({ ...well, ...worker }))
  const lines = loads.map((load) => ({ queue: 'default', waiting: 0, ageMs: null, owners: [], ...load }))
  return {
    health: async (): Promise<Health> => health ?? { status: 'ok', store: 'up', broker: 'up' },
    lacksTables: async () => lacksTables,
    store: async () => ({
      workers: async () => rows,
      servedQueues: async () => rows.flatMap(({ queues }) => queues),
      knownQueues: async () => lines.map(({ queue }) => queue),
      settings: async (): Promise<Setting[]> =>
        paused.map((queue) => ({ name: `pause:${queue}`, value: '{}', setBy: null, setAt: now })),
      load: async (questions: readonly { queue: string }[]): Promise<QueueLoad[]> =>
        questions.map(
          ({ queue }) =>
            lines.find((line) => line.queue === queue) ?? { queue, waiting: 0, ageMs: null, owners: [] },
        ),
      depths: async () => [...depths],
    }),
    advice: (queue: string, workers: readonly string[]) =>
      `Run: npx celeriac worker -Q ${queue}; there are ${workers.join(', ')}`,
    leaseMs: 15_000,
    heartbeatMs: 3000,
  }
}

const look = (scene: Scene) => clusterStatus(depsOf(scene))
const codesOf = async (scene: Scene) => (await look(scene)).problems.map(({ code }) => code)

test('of a long queue counters say how many wait', async () => {
  const depths = (['queued', 'running'] as const).flatMap((state) => [
    { task: 'mail.send', queue: 'default', state, jobs: 90_000 },
    { task: 'mail.read', queue: 'default', state, jobs: 10_000 },
  ])

  const { queues } = await look({ loads: [{ waiting: 200, ageMs: 500 }], depths })

  expect(queues.map(({ waiting }) => waiting)).toEqual([100_000])
})

test('a cluster whose workers live and serve all queues is well', async () => {
  const status = await look({ loads: [{ waiting: 3, ageMs: 500 }] })

  expect(status).toMatchObject({ status: 'ok', problems: [], store: 'up', broker: 'up' })
  expect(status.workers).toMatchObject([
    { name: 'w@a', state: 'ok', running: 1, seenMs: 1000, reportedMs: 2000 },
  ])
  expect(status.queues).toEqual([
    { queue: 'default', waiting: 3, ageMs: 500, servedBy: ['w@a'], isPaused: false },
  ])
})

test.each<[string, Partial<KnownWorker>, string, string | undefined]>([
  ['has begun and not reported yet', { reportedAt: null, report: '{}' }, 'ok', undefined],
  ['reports late, within bounds', { reportedAt: ago(11_000) }, 'ok', undefined],
  ['renews its lease and reports nothing', { reportedAt: ago(13_000) }, 'hanging', 'loop-blocked'],
  ['does not renew its lease', { seenAt: ago(11_000) }, 'silent', 'worker-silent'],
  ['was lost a while ago', { lostAt: ago(60_000) }, 'lost', undefined],
  [
    'says itself that it takes nothing',
    { report: '{"reasons":[{"code":"takes-no-jobs","message":"Nothing was taken for 8 s."}]}' },
    'unwell',
    'takes-no-jobs',
  ],
  [
    'says what its servers are to blame for',
    { report: '{"reasons":[{"code":"broker-away","message":"It is away."}]}' },
    'ok',
    undefined,
  ],
])('a worker that %s', async (_, change, state, code) => {
  const { workers, problems, status } = await look({ workers: [{}, { ...change, id: '2', name: 'w@b' }] })

  expect(workers[1]?.state).toBe(state)
  expect(problems.map((problem) => problem.code)).toEqual(code ? [code] : [])
  expect(status).toBe(code ? 'degraded' : 'ok')
  for (const { worker, cure } of problems) expect([worker, cure.length > 20]).toEqual(['w@b', true])
})

test('workers that stopped, or were lost long ago, are not shown', async () => {
  const gone = [{ stoppedAt: ago(1000) }, { lostAt: ago(3_600_000) }]

  expect((await look({ workers: gone })).workers).toEqual([])
})

test('work that nobody serves is a problem with its queue, and none runs at all where no worker lives', async () => {
  const loads = [{ queue: 'mail', waiting: 1, ageMs: 4000 }]

  const degraded = await look({ loads })
  expect(degraded).toMatchObject({
    status: 'degraded',
    problems: [{ code: 'queue-unserved', queue: 'mail' }],
  })
  expect(degraded.problems[0]?.cure).toBe('Run: npx celeriac worker -Q mail; there are w@a')
  expect(await look({ loads, workers: [] })).toMatchObject({ status: 'down' })
  expect(await codesOf({ loads, workers: [{ queues: ['mail'], seenAt: ago(20_000) }] })).toEqual([
    'worker-silent',
    'queue-unserved',
  ])
})

test('work that has come this moment, or whose queue is paused, is no problem', async () => {
  expect(await codesOf({ loads: [{ queue: 'mail', waiting: 1, ageMs: 1000 }] })).toEqual([])
  expect(await codesOf({ loads: [{ queue: 'mail', waiting: 1, ageMs: 60_000 }], paused: ['mail'] })).toEqual(
    [],
  )
})

test('while a server is away, that is the problem', async () => {
  const noBroker = { status: 'degraded', store: 'up', broker: 'down' } as const
  const noStore = { status: 'down', store: 'down', broker: 'up' } as const

  expect(await look({ health: noBroker })).toMatchObject({
    status: 'down',
    problems: [{ code: 'broker-away' }],
  })
  expect(await look({ health: noStore })).toMatchObject({
    status: 'down',
    problems: [{ code: 'store-away' }],
    workers: [],
  })
  expect(await codesOf({ health: noStore, lacksTables: true })).toEqual(['tables-missing'])
})

test('the queues that nobody serves', async () => {
  const loads = [
    { queue: 'default', waiting: 1, ageMs: 60_000 },
    { queue: 'mail', waiting: 1, ageMs: 60_000 },
    { queue: 'media', waiting: 1, ageMs: 1000 },
    { queue: 'slow', waiting: 1, ageMs: 60_000 },
  ]

  expect(await unservedQueues(depsOf({ loads, paused: ['slow'] }))).toEqual(['mail'])
})
