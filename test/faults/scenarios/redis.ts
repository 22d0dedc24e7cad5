import { Redis } from 'ioredis'
import { eventually, must, type Scenario, sleep } from '../scenario.js'
import type { Scene } from '../scene.js'
import type { FaultServers } from '../servers.js'

/** Each loses what the broker holds, in another way. Every unfinished job must be delivered again. */
export const loses: Scenario = {
  faults: ['F16'],
  title: 'a Redis that comes back empty, is emptied, or lacks one delivery costs no job',
  brokers: ['redis'],
  async run({ open, servers }) {
    const own = await servers({ durable: false })
    const scene = await open({ servers: own, workers: 2, concurrency: 4 })
    await scene.workersLive()
    const losses: readonly (() => Promise<void>)[] = [
      () => asAdmin(own, async (admin) => void (await admin.flushall())),
      () => asAdmin(own, async (admin) => void (await admin.flushdb())),
      () => asAdmin(own, removeSomeDeliveries),
      async () => {
        await own.redis?.kill()
        await sleep(1000)
        await own.redis?.start()
      },
    ]
    for (const lose of losses) {
      const ids = await scene.enqueueMany(40, 'slow', { ms: 300 })
      const at = Date.now()
      await lose()
      scene.faults.write({ at, until: Date.now(), kind: 'wipe', target: 'redis', name: 'F16' })
      await scene.ended([...ids, ...(await scene.enqueueMany(5, 'quick'))], 60_000)
    }
  },
}

async function removeSomeDeliveries(admin: Redis): Promise<void> {
  const keys = await admin.keys('celeriac:default:[0-9a-f]*')
  for (const key of keys.slice(0, 3)) await admin.del(key)
}

export const fullMemory: Scenario = {
  faults: ['F23'],
  title: 'with its memory full Redis refuses deliveries, the routes go on, and all run when there is room',
  brokers: ['redis'],
  async run({ open, servers }) {
    const own = await servers()
    const scene = await open({ servers: own })
    await scene.workersLive()
    await scene.ended(await scene.enqueueMany(5, 'quick'))
    const at = Date.now()
    await asAdmin(own, async (admin) => {
      const used = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1])
      await admin.config('SET', 'maxmemory', String(used - 100_000))
    })
    const ids: string[] = []
    for (let count = 0; count < 20; count += 1) {
      const { status, body } = await scene.post('quick')
      must(status === 202, `a route was answered ${status} while the memory of Redis was full`)
      ids.push((body as { id: string }).id)
    }
    await sleep(3000)
    await asAdmin(own, async (admin) => void (await admin.config('SET', 'maxmemory', '0')))
    scene.faults.write({ at, until: Date.now(), kind: 'cut', target: 'redis', name: 'F23' })
    await scene.ended(ids)
  },
}

export const standsStill: Scenario = {
  faults: ['F26'],
  title: 'a Redis that forgets its scripts or stands still for a while is waited for',
  brokers: ['redis'],
  long: true,
  async run({ open, servers }) {
    const own = await servers()
    const scene = await open({ servers: own, workers: 2 })
    await scene.workersLive()
    const busyScript = "local t = redis.call('TIME') while redis.call('TIME')[1] - t[1] < 8 do end"
    const troubles: readonly ((admin: Redis) => Promise<unknown>)[] = [
      (admin) => admin.script('FLUSH'),
      (admin) => admin.client('PAUSE', 8000, 'ALL'),
      (admin) => admin.call('DEBUG', 'SLEEP', '8').catch(() => {}),
      (admin) => admin.eval(busyScript, 0).catch(() => {}),
    ]
    for (const trouble of troubles) {
      const load = scene.load({
        jobs: 100,
        from: 0,
        jobsPerSecond: 15,
        name: `t${troubles.indexOf(trouble)}`,
      })
      await sleep(500)
      const at = Date.now()
      await asAdmin(own, async (admin) => void (await trouble(admin)))
      scene.faults.write({ at, until: Date.now() + 8000, kind: 'pause', target: 'redis', name: 'F26' })
      await load.done
      await everyJobEnds(scene)
    }
    noUnhandled(scene)
  },
}

export const losesClients: Scenario = {
  faults: ['F27'],
  title: 'a Redis that cuts, limits or refuses its clients is found again',
  brokers: ['redis'],
  async run({ open, servers }) {
    const own = await servers()
    const scene = await open({ servers: own, workers: 2 })
    await scene.workersLive()
    const note = (at: number) =>
      scene.faults.write({ at, until: Date.now(), kind: 'cut', target: 'redis', name: 'F27' })

    const load = scene.load({ jobs: 200, jobsPerSecond: 25, name: 'killed' })
    let at = Date.now()
    await asAdmin(own, async (admin) => {
      for (let second = 0; second < 8; second += 1) {
        await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
        await sleep(1000)
      }
    })
    note(at)
    await load.done
    await everyJobEnds(scene)

    at = Date.now()
    const refused = scene.load({ jobs: 100, jobsPerSecond: 20, name: 'refused' })
    await asAdmin(own, async (admin) => {
      await admin.config('SET', 'maxclients', '2')
      await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      await sleep(4000)
      await admin.config('SET', 'maxclients', '1000')
      await admin.call('ACL', 'SETUSER', 'default', 'resetpass', '>another')
      await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
      await sleep(4000)
      await admin.call('ACL', 'SETUSER', 'default', 'nopass')
    })
    note(at)
    await refused.done
    await everyJobEnds(scene)
    noUnhandled(scene)
  },
}

async function everyJobEnds(scene: Scene): Promise<void> {
  await eventually(
    async () => {
      const rows = await scene.sql<{ open: number }>(
        'SELECT count(*)::int AS open FROM celeriac.job WHERE finished_at IS NULL',
      )
      return rows[0]?.open === 0
    },
    'jobs had no end',
    60_000,
  )
}

/** A fault of a server must not end a process of ours. */
function noUnhandled(scene: Scene): void {
  for (const { name, process } of scene.seats) {
    must(!process.hasEnded, `${name} ended: ${process.output().slice(-500)}`)
    must(!/unhandled/i.test(process.output()), `${name} says: ${process.output().slice(-500)}`)
  }
}

async function asAdmin(servers: FaultServers, work: (admin: Redis) => Promise<void>): Promise<void> {
  const admin = new Redis(servers.redis?.url ?? '', { maxRetriesPerRequest: null })
  admin.on('error', () => {})
  try {
    await work(admin)
  } finally {
    admin.disconnect()
  }
}
