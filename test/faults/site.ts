import { mkdirSync } from 'node:fs'
import { createProxy, type TcpProxy } from '../support/proxy.js'
import { freePort } from '../support/server.js'
import type { Fault } from './checker/history.js'
import type { Journal } from './journal.js'
import {
  type AppPlace,
  type AppProcess,
  migrate,
  type StartOptions,
  startWeb,
  startWorker,
} from './processes.js'
import type { Ground } from './servers.js'

/** A place for one process, with connections of its own to the servers. Who dies there is replaced. */
export interface Seat {
  readonly name: string
  readonly role: AppProcess['role']
  /** Of a web process. */
  readonly url: string
  /** To PostgreSQL, and to Redis where there is one. */
  readonly links: readonly TcpProxy[]
  readonly process: AppProcess
  /** Ends its process by a signal, and says which fault that was. Resolves when it has ended, with its process id. */
  strike(signal: NodeJS.Signals, name: string): Promise<number>
  /** Whether something is being done to it, so that it is left alone otherwise. */
  busy: boolean
}

/** The app under test on its servers: web processes and workers that are started again when they end. */
export interface Site {
  readonly ground: Ground
  readonly seats: readonly Seat[]
  readonly webs: readonly Seat[]
  readonly workers: readonly Seat[]
  close(): Promise<void>
}

export interface SiteOptions {
  readonly ground: Ground
  readonly code: string
  /** Where the processes write what they print. */
  readonly logs: string
  readonly webs: number
  readonly workers: number
  readonly concurrency: number
  readonly faults: Journal<Fault>
  /** Of Celeriac, over the defaults. */
  readonly celeriac?: object
  /** How a process is started: the how-manieth in its seat, from 0. */
  readonly prepare?: (role: AppProcess['role'], starts: number, seat: string) => Preparation
  /** Parameters of the database's URL. */
  readonly parameters?: string
  /** More words for the command line of a worker. Default: a grace of 5 s. */
  readonly workerArgs?: readonly string[]
  readonly random?: () => number
}

export type Preparation = Pick<StartOptions, 'env' | 'nodeArgs'>

const restartMs = 300

export async function openSite(options: SiteOptions): Promise<Site> {
  const { ground, code, logs, faults, workerArgs = ['--grace', '5s'] } = options
  mkdirSync(logs, { recursive: true })
  const place: AppPlace = { code, logs, ...ground, options: { logger: 'warn', ...options.celeriac } }
  if (!ground.isMigrated) await migrate(place)
  let closing = false
  const seats: (Seat & { close(): Promise<void> })[] = []
  for (let at = 0; at < options.webs; at += 1) seats.push(await openSeat('web', at))
  for (let at = 0; at < options.workers; at += 1) seats.push(await openSeat('worker', at))

  return {
    ground,
    seats,
    webs: seats.filter(({ role }) => role === 'web'),
    workers: seats.filter(({ role }) => role === 'worker'),
    async close() {
      closing = true
      await Promise.all(seats.map((seat) => seat.close()))
    },
  }

  async function openSeat(role: AppProcess['role'], at: number) {
    const name = `${role}-${at}`
    const port = await freePort()
    const random = options.random ? { random: options.random } : {}
    const database = await createProxy(`${ground.databaseUrl}?${options.parameters ?? ''}`, random)
    const broker = ground.brokerUrl === undefined ? undefined : await createProxy(ground.brokerUrl, random)
    const links = broker ? [database, broker] : [database]
    const own = { ...place, databaseUrl: database.url, brokerUrl: broker?.url }
    let starts = 0
    let process = sit()
    let blow: { readonly at: number; readonly name: string; readonly kind: 'kill' | 'stop' } | undefined

    return {
      name,
      role,
      url: `http://127.0.0.1:${port}`,
      links,
      get process() {
        return process
      },
      busy: false,
      async strike(signal: NodeJS.Signals, fault: string) {
        const struck = process
        blow = { at: Date.now(), name: fault, kind: signal === 'SIGKILL' ? 'kill' : 'stop' }
        struck.signal(signal)
        await struck.ended
        return struck.pid
      },
      async close() {
        process.signal('SIGCONT')
        process.signal('SIGKILL')
        await process.ended
        await Promise.all(links.map((link) => link.close()))
      },
    }

    function sit(): AppProcess {
      const prepared = { name, ...options.prepare?.(role, starts, name) }
      starts += 1
      const next =
        role === 'web'
          ? startWeb(own, { ...prepared, port })
          : startWorker(own, { ...prepared, args: ['-c', String(options.concurrency), ...workerArgs] })
      next.ended.then((how) => {
        if (closing) return
        // Whoever ended it: what ran there counts.
        const why = blow ?? { at: Date.now(), name: `ended with ${how}`, kind: 'kill' as const }
        faults.write({ ...why, until: Date.now(), target: role, pid: next.pid })
        blow = undefined
        setTimeout(() => {
          if (!closing) process = sit()
        }, restartMs)
      })
      return next
    }
  }
}
