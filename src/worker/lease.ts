import { randomBytes } from 'node:crypto'
import { Worker as Thread } from 'node:worker_threads'
import { toDriverUrl } from '../store/database-url.js'
import { within } from '../waiting.js'
import type { Board } from './board.js'
import { leaseThreadSource } from './generated/lease-thread.js'
import type { FromLeaseThread, LeaseIdentity, LeaseThreadData, ToLeaseThread } from './lease-thread.js'

/** A worker's claim to be alive, renewed by a thread of its own. */
export interface Lease {
  /** Resolves at the first renewal. */
  begin(identity: LeaseIdentity): Promise<void>
  stop(): Promise<void>
  /** `false` while it could not be renewed for so long that others may have taken over, and before the first renewal. */
  readonly isHeld: boolean
}

export interface LeaseOptions {
  readonly board: Board
  readonly heartbeatMs: number
  readonly leaseMs: number
  readonly log: { warn(message: string): void }
  /** The worker was declared lost; it needs a new identity. */
  readonly onLost: () => void
  /** The lease could not be renewed for so long that other workers may have taken over. */
  readonly onSilent: (reason: string) => void
  /** The store is reached over a new connection. It may have crashed meanwhile. */
  readonly onReconnected: () => void
}

const beatMs = 100
const restartPauseMs = 1000
const endMs = 2000

export type LeaseFactory = (options: LeaseOptions) => Lease

/**
 * Leases that a thread renews over a connection of its own.
 * @param url must not go through a transaction pooler: the session holds a lock
 */
export function threadLease(url: string): LeaseFactory {
  return (options) => createThreadLease(url, options)
}

function createThreadLease(url: string, options: LeaseOptions): Lease {
  const { board, heartbeatMs, leaseMs, log } = options
  let thread: Thread | undefined
  let stopping = false
  let awaiting: (() => void)[] = []
  let current: LeaseIdentity | undefined
  let isHeld = false
  const beating = setInterval(board.beat, beatMs)
  beating.unref()

  return {
    get isHeld() {
      return isHeld
    },
    begin(identity) {
      if (stopping) return Promise.resolve()
      current = identity
      isHeld = false
      const renewed = new Promise<void>((resolve) => {
        awaiting.push(resolve)
      })
      if (thread) send({ identity })
      else thread = startThread(identity)
      return renewed
    },
    async stop() {
      stopping = true
      clearInterval(beating)
      for (const resolve of awaiting) resolve()
      if (!thread) return
      const exited = new Promise((resolve) => thread?.once('exit', resolve))
      send({ stop: true })
      await within(endMs, exited)
      await thread.terminate()
    },
  }

  function startThread(identity: LeaseIdentity): Thread {
    const data: LeaseThreadData = {
      url: toDriverUrl(url),
      identity,
      heartbeatMs,
      silentAfterMs: (leaseMs * 2) / 3,
      blockedAfterMs: Math.max(1000, heartbeatMs),
      board: board.memory,
    }
    const next = new Thread(leaseThreadSource, {
      eval: true,
      workerData: data,
      name: 'celeriac-lease',
      execArgv: [],
    })
    next.unref()
    next.on('message', hear)
    next.on('error', (error) => log.warn(`The lease thread failed: ${error.message}`))
    next.on('exit', restart)
    return next
  }

  function restart(): void {
    setTimeout(() => {
      if (!stopping && current) thread = startThread(current)
    }, restartPauseMs).unref()
  }

  function send(message: ToLeaseThread): void {
    thread?.postMessage(message)
  }

  function hear(news: FromLeaseThread): void {
    switch (news.event) {
      case 'renewed':
        if (news.workerId !== current?.workerId) return
        isHeld = true
        for (const resolve of awaiting) resolve()
        awaiting = []
        return
      case 'lost':
        if (news.workerId !== current?.workerId) return
        isHeld = false
        options.onLost()
        return
      case 'silent':
        isHeld = false
        options.onSilent(news.reason)
        return
      case 'reconnected':
        options.onReconnected()
        return
      case 'gaveBack':
        log.warn(`The event loop was blocked; ${news.jobs} jobs that had not started went to other workers.`)
    }
  }
}

/** A key for the session lock by which others see that this process lives. */
export function newLockKey(): bigint {
  return randomBytes(8).readBigInt64BE()
}
