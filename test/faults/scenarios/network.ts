import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { ProxyMode } from '../../support/proxy.js'
import { eventually, must, type Scenario, sleep } from '../scenario.js'

/** Between a cut and the first job that is done again. */
const resumesWithinMs = 20_000

export const halfOpen: Scenario = {
  faults: ['F21'],
  title:
    'each connection of a worker, one by one and all together, may fall silent: within 20 s it works again',
  long: true,
  async run({ open }) {
    const scene = await open({ celeriac: {} })
    await scene.workersLive()
    const [seat] = scene.workers
    must(seat, 'there is no worker')
    for (const link of seat.links) {
      const each = Array.from({ length: link.connections() }, (_, nth) => () => link.silence(nth))
      for (const cut of [...each, () => link.set('silent-open')]) {
        const at = Date.now()
        cut()
        const id = await scene.enqueue('quick')
        await scene.ended([id], resumesWithinMs)
        scene.faults.write({
          at,
          until: Date.now(),
          kind: 'cut',
          target: 'worker',
          pid: seat.process.pid,
          name: 'F21',
        })
        link.set('pass')
        await sleep(1000)
      }
    }
    must(!seat.process.hasEnded, 'the worker ended')
  },
}

export const badNetwork: Scenario = {
  faults: ['F22'],
  title: 'latency of 300 ms ± 200, single bytes and a reset every 2 s lose nothing, and nobody loses a lease',
  long: true,
  async run({ open }) {
    const scene = await open({ workers: 2, celeriac: {} })
    await scene.workersLive()
    const everywhere = (mode: ProxyMode) => {
      for (const link of scene.seats.flatMap(({ links }) => links)) link.set(mode)
    }
    for (const mode of [{ delayMs: 300, jitterMs: 200 }, 'slice'] as const) {
      const at = Date.now()
      everywhere(mode)
      const load = scene.load({
        jobs: 60,
        jobsPerSecond: 20,
        name: JSON.stringify(mode).replaceAll(/\W/g, ''),
      })
      await load.done
      everywhere('pass')
      scene.faults.write({ at, until: Date.now(), kind: 'slow', target: 'network', name: 'F22' })
    }
    const at = Date.now()
    const load = scene.load({ jobs: 120, jobsPerSecond: 20, name: 'reset' })
    for (let times = 0; times < 4; times += 1) {
      await sleep(2000)
      for (const link of scene.seats.flatMap(({ links }) => links)) link.reset()
    }
    scene.faults.write({ at, until: Date.now(), kind: 'cut', target: 'network', name: 'F22' })
    await load.done
    await eventually(
      async () => {
        const rows = await scene.sql<{ open: number }>(
          'SELECT count(*)::int AS open FROM celeriac.job WHERE finished_at IS NULL',
        )
        return rows[0]?.open === 0
      },
      'jobs had no end',
      40_000,
    )
    const lost = await scene.sql('SELECT name FROM celeriac.worker WHERE lost_at IS NOT NULL')
    must(lost.length === 0, `${lost.length} workers lost their lease`)
  },
}

/** From the Debian package `libfaketime`, which puts it into a folder of the machine's architecture. */
function findFaketime(): string | undefined {
  const folders = ['/usr/lib', '/usr/local/lib', '/usr/lib64'].filter((folder) => existsSync(folder))
  return folders
    .flatMap((folder) => [folder, ...readdirSync(folder).map((name) => join(folder, name))])
    .map((folder) => join(folder, 'faketime/libfaketimeMT.so.1'))
    .find((file) => existsSync(file))
}

export const wrongClocks: Scenario = {
  faults: ['F40'],
  title: 'with clocks an hour wrong delayed jobs start when the database says so, and nobody loses a lease',
  missing: () => (findFaketime() === undefined ? 'libfaketime is not installed' : undefined),
  async run({ open }) {
    const library = findFaketime() ?? ''
    const offset = { web: '-1h', worker: '+1h' }
    const scene = await open({
      workers: 2,
      prepare: (role) => ({
        env: { LD_PRELOAD: library, FAKETIME: offset[role], FAKETIME_DONT_FAKE_MONOTONIC: '1' },
      }),
    })
    await scene.workersLive()
    const ids = await Promise.all(
      Array.from({ length: 60 }, (_, nth) => scene.enqueue('quick', {}, { delay: nth < 30 ? 4000 : 1500 })),
    )
    await scene.ended(ids)
    const rows = await scene.sql<{ late: number }>(
      'SELECT (extract(epoch FROM started_at - run_at) * 1000)::float8 AS late FROM celeriac.job',
    )
    for (const { late } of rows)
      must(late > -1000 && late < 4000, `a delayed job started ${late} ms after it was due`)
    const lost = await scene.sql('SELECT name FROM celeriac.worker WHERE lost_at IS NOT NULL')
    must(lost.length === 0, `${lost.length} workers lost their lease`)
    const [seen] = await scene.enqueueMany(1, 'brief')
    must(seen, 'nothing was accepted')
    await scene.ended([seen])
  },
}
