import type { Fault } from './checker/history.js'
import type { Journal } from './journal.js'
import type { Random } from './random.js'
import { wipeBroker } from './servers.js'
import type { Seat, Site } from './site.js'

/** What a nemesis can do. Each resolves when it is over and mended. */
export interface Weapons {
  killWorker(): Promise<void>
  killWeb(): Promise<void>
  killRedis(downMs: number): Promise<void>
  stopPostgres(downMs: number): Promise<void>
  wipe(): Promise<void>
  /** Half-open: what is connected hears nothing any more, and is not told. */
  cutWorker(link: 'store' | 'broker', ms: number): Promise<void>
  cutWeb(link: 'store' | 'broker', ms: number): Promise<void>
  pauseWorker(ms: number): Promise<void>
  resetLinks(): Promise<void>
  slowLinks(ms: number): Promise<void>
}

export type WeaponName = keyof Weapons

export function createWeapons(site: Site, faults: Journal<Fault>, random: Random): Weapons {
  const { servers } = site
  return {
    killWorker: () => kill(pickFree(site.workers), 'F1'),
    killWeb: () => kill(pickFree(site.webs), 'F4'),

    async killRedis(downMs) {
      const { redis } = servers
      if (!redis) return
      await during({ kind: 'kill', target: 'redis', name: 'F15' }, async () => {
        await redis.kill()
        await sleep(downMs)
        await redis.start()
      })
    },

    async stopPostgres(downMs) {
      await during({ kind: 'kill', target: 'postgres', name: 'F30' }, async () => {
        await servers.postgres.end('SIGQUIT')
        await sleep(downMs)
        await servers.postgres.start()
      })
    },

    wipe: () =>
      during({ kind: 'wipe', target: servers.redis ? 'redis' : 'postgres', name: 'F16' }, () =>
        wipeBroker(servers),
      ),

    cutWorker: (link, ms) => cut(pickFree(site.workers), link, ms),
    cutWeb: (link, ms) => cut(pickFree(site.webs), link, ms),

    async pauseWorker(ms) {
      const seat = pickFree(site.workers)
      await holding(seat, () =>
        during({ kind: 'pause', target: 'worker', pid: seat.process.pid, name: 'F7' }, async () => {
          seat.process.signal('SIGSTOP')
          await sleep(ms)
          seat.process.signal('SIGCONT')
        }),
      )
    },

    async resetLinks() {
      const seat = pickFree(site.seats)
      await during({ kind: 'cut', target: seat.role, pid: seat.process.pid, name: 'F22 reset' }, async () => {
        for (const link of seat.links) link.reset()
      })
    },

    async slowLinks(ms) {
      const seat = pickFree(site.seats)
      await holding(seat, () =>
        during({ kind: 'slow', target: seat.role, pid: seat.process.pid, name: 'F22 slow' }, async () => {
          for (const link of seat.links) link.set({ delayMs: 300, jitterMs: 200 })
          await sleep(ms)
          for (const link of seat.links) link.set('pass')
        }),
      )
    },
  }

  function kill(seat: Seat, name: string): Promise<void> {
    return holding(seat, async () => {
      await seat.strike('SIGKILL', name)
    })
  }

  function cut(seat: Seat, which: 'store' | 'broker', ms: number): Promise<void> {
    const link = which === 'broker' ? seat.links.at(-1) : seat.links[0]
    return holding(seat, () =>
      during({ kind: 'cut', target: seat.role, pid: seat.process.pid, name: `F21 ${which}` }, async () => {
        link?.set('silent-open')
        await sleep(ms)
        link?.set('pass')
      }),
    )
  }

  /** One that nothing else is done to. */
  function pickFree(seats: readonly Seat[]): Seat {
    const free = seats.filter(({ busy, process }) => !busy && !process.hasEnded)
    return random.pick(free.length > 0 ? free : seats)
  }

  async function during(fault: Omit<Fault, 'at' | 'until'>, work: () => Promise<void>): Promise<void> {
    const at = Date.now()
    try {
      await work()
    } finally {
      faults.write({ at, until: Date.now(), ...fault })
    }
  }
}

async function holding(seat: Seat, work: () => Promise<void>): Promise<void> {
  seat.busy = true
  try {
    await work()
  } finally {
    seat.busy = false
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
