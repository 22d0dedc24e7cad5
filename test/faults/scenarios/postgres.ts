import pg from 'pg'
import { eventually, must, type Scenario, sleep } from '../scenario.js'
import type { Scene } from '../scene.js'
import type { FaultServers } from '../servers.js'

export const endsSessions: Scenario = {
  faults: ['F30'],
  title: 'a PostgreSQL that ends all sessions every second is connected to again',
  async run({ open, servers }) {
    const own = await servers()
    const scene = await open({ servers: own, workers: 2 })
    await scene.workersLive()
    const load = scene.load({ jobs: 200, jobsPerSecond: 20 })
    const at = Date.now()
    for (let second = 0; second < 8; second += 1) {
      await scene.sql(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
      )
      await sleep(1000)
    }
    scene.faults.write({ at, until: Date.now(), kind: 'cut', target: 'postgres', name: 'F30' })
    await load.done
    await everyJobEnds(scene)
    stillThere(scene)
  },
}

export const locksTables: Scenario = {
  faults: ['F32'],
  title: 'while a table is locked for 12 s the routes answer in time, and nobody loses a lease',
  async run({ open }) {
    const scene = await open({ workers: 2, celeriac: { deadline: '2s' } })
    await scene.workersLive()
    const running = await scene.enqueueMany(4, 'slow', { ms: 3000 })
    await Promise.all(running.map((id) => scene.started(id)))
    const at = Date.now()
    const locker = await connect(scene.ground.databaseUrl)
    await locker.query('BEGIN; LOCK TABLE celeriac.job IN ACCESS EXCLUSIVE MODE')
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, nth) =>
        sleep(nth * 400).then(() => scene.post('quick', {}, { key: `locked-${nth}` })),
      ),
    )
    for (const { status, tookMs } of answers) {
      must(status === 503 || status === 202, `a route was answered ${status}`)
      must(tookMs < 6000, `an answer took ${tookMs} ms`)
    }
    await sleep(Math.max(0, at + 12_000 - Date.now()))
    await locker.end()
    scene.faults.write({ at, until: Date.now(), kind: 'pause', target: 'postgres', name: 'F32' })
    const again = await Promise.all(
      answers.map((_, nth) => scene.enqueue('quick', {}, { key: `locked-${nth}` })),
    )
    await scene.ended([...running, ...again])
    const lost = await scene.sql('SELECT name FROM celeriac.worker WHERE lost_at IS NOT NULL')
    must(lost.length === 0, `${lost.length} workers lost their lease`)
    for (const id of running) {
      const starts = (await scene.effects(id)).filter(({ kind }) => kind === 'start')
      must(starts.length === 1, `a job that ran was started ${starts.length} times`)
    }
  },
}

export const fullOfConnections: Scenario = {
  faults: ['F33'],
  title: 'while PostgreSQL takes no further connections the routes answer, and all ends afterwards',
  async run({ open, servers }) {
    const own = await servers()
    const scene = await open({ servers: own, workers: 2 })
    await scene.workersLive()
    const before = await scene.enqueueMany(10, 'brief')
    const at = Date.now()
    const taken = await takeAllConnections(own)
    await scene.sql('SELECT 1').then(
      () => must(false, 'there was a connection left'),
      () => {},
    )
    for (const seat of scene.seats) for (const link of seat.links) link.reset()
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, nth) =>
        scene.post('quick', {}, { key: `full-${nth}`, timeoutMs: 15_000 }),
      ),
    )
    for (const { status, tookMs } of answers) {
      must(status === 503 || status === 202, `a route was answered ${status}`)
      must(tookMs < 9000, `an answer took ${tookMs} ms`)
    }
    await Promise.all(taken.map((client) => client.end()))
    scene.faults.write({ at, until: Date.now(), kind: 'cut', target: 'postgres', name: 'F33' })
    const again = await Promise.all(
      answers.map((_, nth) => scene.enqueue('quick', {}, { key: `full-${nth}` })),
    )
    await scene.ended([...before, ...again])
    stillThere(scene)
  },
}

export const poolOfOne: Scenario = {
  faults: ['F33'],
  title: 'with one connection to the store nothing waits for itself',
  async run({ open }) {
    const scene = await open({ parameters: 'connection_limit=1' })
    await scene.workersLive()
    const ids = await scene.enqueueMany(100, 'quick')
    await scene.ended([...ids, ...(await scene.enqueueMany(5, 'flaky', { failures: 1 }))])
  },
}

export const rowDeleted: Scenario = {
  faults: ['F35'],
  title: 'a row that is deleted while its job runs harms nobody',
  async run({ open }) {
    const scene = await open({ concurrency: 4 })
    const deleted = await scene.enqueue('slow', { ms: 1500 })
    scene.forget(deleted)
    await scene.started(deleted)
    await scene.sql('DELETE FROM celeriac.job WHERE id = $1', [deleted])
    const others = await scene.enqueueMany(20, 'brief')
    await scene.ended(others)
    await eventually(
      async () => (await scene.effects(deleted)).some(({ kind }) => kind === 'finish'),
      'it did not finish',
    )
    await scene.ended(await scene.enqueueMany(5, 'quick'))
    must((await scene.status(deleted)) === undefined, 'its status is there')
    stillThere(scene)
  },
}

async function takeAllConnections(servers: FaultServers): Promise<pg.Client[]> {
  const taken: pg.Client[] = []
  for (;;) {
    try {
      taken.push(await connect(servers.postgres.url))
    } catch {
      return taken
    }
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  return client
}

async function everyJobEnds(scene: Scene): Promise<void> {
  await eventually(
    async () => {
      const rows = await scene
        .sql<{ open: number }>('SELECT count(*)::int AS open FROM celeriac.job WHERE finished_at IS NULL')
        .catch(() => [])
      return rows[0]?.open === 0
    },
    'jobs had no end',
    60_000,
  )
}

function stillThere(scene: Scene): void {
  for (const { name, process } of scene.seats)
    must(!process.hasEnded, `${name} ended: ${process.output().slice(-500)}`)
}
