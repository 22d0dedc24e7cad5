import type { Fault } from './checker/history.js'
import { type Health, watchHealth } from './health.js'
import type { Journal } from './journal.js'
import type { Link, Round, Step } from './plan.js'
import type { Random } from './random.js'
import { type FaultServers, wipeBroker } from './servers.js'
import type { Seat, Site } from './site.js'

/** Does what a plan says. A step resolves when it is over and mended. */
export interface Nemesis {
  round(round: Round): Promise<void>
  step(step: Step): Promise<void>
  /** What the web processes that were cut off said of themselves. */
  readonly health: readonly Health[]
  /** No further step begins. */
  stop(): void
}

export function createNemesis(
  site: Site,
  servers: FaultServers,
  faults: Journal<Fault>,
  random: Random,
): Nemesis {
  const health: Health[] = []
  let stopped = false
  let postgresIsBack: Promise<void> = Promise.resolve()

  return {
    async round({ steps, lengthMs }) {
      const began = Date.now()
      await Promise.all(steps.map((planned) => stepInTime(planned)))
      while (!stopped && Date.now() < began + lengthMs) await sleep(100)
    },
    step,
    health,
    stop() {
      stopped = true
    },
  }

  async function stepInTime(planned: Step): Promise<void> {
    const due = Date.now() + planned.atMs
    while (!stopped && Date.now() < due) await sleep(Math.min(100, Math.max(1, due - Date.now())))
    if (!stopped) await step(planned)
  }

  async function step(planned: Step): Promise<void> {
    switch (planned.do) {
      case 'killWorker':
        return kill(site.workers, 'F1')
      case 'killWeb':
        return kill(site.webs, 'F4')
      case 'killRedis':
        // On PostgreSQL alone there is no other broker to kill.
        return servers.redis ? killRedis(planned.downMs) : stopPostgres(planned.downMs)
      case 'stopPostgres':
        return stopPostgres(planned.downMs)
      case 'wipe':
        return wipe()
      case 'cutWorker':
        return cut(site.workers, 'silent-open', planned.link, planned.ms, 'F21')
      case 'cutWeb':
        return cutWeb(planned.link, planned.ms)
      case 'partWorker':
        return cut(site.workers, 'silent', 'both', planned.ms, 'F54')
      case 'pauseWorker':
        return pauseWorker(planned.ms)
      case 'slowLinks':
        return slowLinks(planned.ms)
      case 'resetLinks':
        return resetLinks()
    }
  }

  function kill(seats: readonly Seat[], name: string): Promise<void> {
    return holdingOne(seats, async (seat) => {
      await seat.strike('SIGKILL', name)
    })
  }

  function killRedis(downMs: number): Promise<void> {
    return during({ kind: 'kill', target: 'redis', name: 'F15' }, async () => {
      await servers.redis?.kill()
      await sleep(downMs)
      await servers.redis?.start()
    })
  }

  function stopPostgres(downMs: number): Promise<void> {
    postgresIsBack = postgresIsBack.then(() =>
      during({ kind: 'kill', target: 'postgres', name: 'F30' }, async () => {
        await servers.postgres.end('SIGQUIT')
        await sleep(downMs)
        await servers.postgres.start()
      }),
    )
    return postgresIsBack
  }

  /** A server that is away at that moment cannot be emptied. */
  function wipe(): Promise<void> {
    return during({ kind: 'wipe', target: servers.redis ? 'redis' : 'postgres', name: 'F16' }, async () => {
      for (let tries = 0; ; tries += 1) {
        try {
          return await wipeBroker(servers, site.ground)
        } catch (error) {
          if (tries === 50) throw error
          await sleep(200)
        }
      }
    })
  }

  function cut(
    seats: readonly Seat[],
    mode: 'silent' | 'silent-open',
    link: Link | 'both',
    ms: number,
    name: string,
  ): Promise<void> {
    return holdingOne(seats, (seat) =>
      during({ kind: 'cut', target: seat.role, pid: seat.process.pid, name: `${name} ${link}` }, async () => {
        const links = linksOf(seat, link)
        for (const each of links) each.set(mode)
        await sleep(ms)
        for (const each of links) each.set('pass')
      }),
    )
  }

  async function cutWeb(link: Link, ms: number): Promise<void> {
    await holdingOne(site.webs, (seat) =>
      during({ kind: 'cut', target: 'web', pid: seat.process.pid, name: `F21 ${link}` }, async () => {
        for (const each of linksOf(seat, link)) each.set('silent')
        const watch = watchHealth(seat.url)
        await sleep(ms)
        health.push({ ...watch.stop(), link })
        for (const each of linksOf(seat, link)) each.set('pass')
      }),
    )
  }

  function pauseWorker(ms: number): Promise<void> {
    return holdingOne(site.workers, (seat) =>
      during({ kind: 'pause', target: 'worker', pid: seat.process.pid, name: 'F7' }, async () => {
        seat.process.signal('SIGSTOP')
        await sleep(ms)
        seat.process.signal('SIGCONT')
      }),
    )
  }

  function resetLinks(): Promise<void> {
    return holdingOne(site.seats, (seat) =>
      during({ kind: 'cut', target: seat.role, pid: seat.process.pid, name: 'F22 reset' }, async () => {
        for (const link of seat.links) link.reset()
      }),
    )
  }

  function slowLinks(ms: number): Promise<void> {
    return holdingOne(site.seats, (seat) =>
      during({ kind: 'slow', target: seat.role, pid: seat.process.pid, name: 'F22 slow' }, async () => {
        for (const link of seat.links) link.set({ delayMs: 300, jitterMs: 200 })
        await sleep(ms)
        for (const link of seat.links) link.set('pass')
      }),
    )
  }

  /** One fault at a time for each process, or nobody could say which of them it recovered from. */
  async function holdingOne(seats: readonly Seat[], work: (seat: Seat) => Promise<void>): Promise<void> {
    const seat = await freeSeat(seats)
    if (!seat) return
    seat.busy = true
    try {
      await work(seat)
    } finally {
      seat.busy = false
    }
  }

  async function freeSeat(seats: readonly Seat[]): Promise<Seat | undefined> {
    while (!stopped) {
      const free = seats.filter(({ busy, process }) => !busy && !process.hasEnded)
      if (free.length > 0) return random.pick(free)
      await sleep(50)
    }
    return undefined
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

function linksOf(seat: Seat, link: Link | 'both') {
  if (link === 'both') return seat.links
  return link === 'store' ? seat.links.slice(0, 1) : seat.links.slice(-1)
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
