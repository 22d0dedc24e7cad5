import { randomUUID } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'
import { sleep } from '../waiting.js'

/**
 * Waits for work in many queues over one connection. BullMQ blocks a connection for each of its workers, by a BZPOPMIN on
 * the queue's marker; that command takes many keys, so one call waits for all. When a queue begins or ends to wait, the
 * call is interrupted and made anew, so that no marker is taken for a queue that does not wait: it would wake nobody else.
 */
export interface WakeUps {
  /** A place for one worker, which waits for one key. */
  join(marker: string): Place
  end(): void
}

export interface Place {
  /** Resolves with what is in the marker, or with `null` after `seconds`, or when it is better to look for oneself. */
  wait(seconds: number): Promise<Marker | null>
  /** Ends the wait, and all later ones of this place. */
  leave(): void
}

export interface Marker {
  readonly member: string
  /** When to look, in milliseconds of the epoch; 0 is now. */
  readonly score: number
}

export interface WakeUpsDeps {
  /** Fails a call whose connection is lost, and one whose answer does not come. */
  readonly waiter: Redis | Cluster
  /** For all that must not wait. */
  readonly asker: Redis | Cluster
  /** Resolves when the waiter is connected. */
  reach(): Promise<void>
  readonly prefix: string
  readonly longestSeconds: number
}

interface Waiting {
  readonly marker: string
  readonly until: number
  readonly answer: (found: Marker | null) => void
}

/** Those that wait until about the same time end together, and cost one interruption. */
const togetherMs = 20
const retryMs = 250
/** Servers before 7.0.8 take a shorter time for none at all, and wait for ever. */
const shortestMs = 2
const interruptionMs = 60_000

export function createWakeUps({ waiter, asker, reach, prefix, longestSeconds }: WakeUpsDeps): WakeUps {
  const bell = `${prefix}:%bell:${randomUUID()}`
  const waiting = new Set<Waiting>()
  let serving = false
  let ended = false
  /** What the call that is under way waits for, and until when. */
  let call: { readonly markers: ReadonlySet<string>; readonly until: number } | undefined
  let isInterrupted = false

  return {
    join: createPlace,
    end() {
      ended = true
      for (const each of [...waiting]) answer(each, null)
    },
  }

  function createPlace(marker: string): Place {
    let mine: Waiting | undefined
    let left = false
    return {
      wait(seconds) {
        if (left || ended) return Promise.resolve(null)
        return new Promise((resolve) => {
          mine = { marker, until: performance.now() + seconds * 1000, answer: resolve }
          begin(mine)
        })
      },
      leave() {
        left = true
        if (mine) answer(mine, null)
        if (call?.markers.has(marker) && !isAwaited(marker)) interrupt()
      },
    }
  }

  function begin(each: Waiting): void {
    waiting.add(each)
    if (call && !(call.markers.has(each.marker) && call.until <= each.until + togetherMs)) interrupt()
    if (serving) return
    serving = true
    // Those that begin at the same time share the first call.
    setImmediate(serve)
  }

  async function serve(): Promise<void> {
    while (waiting.size > 0 && !ended) {
      try {
        await reach()
        await serveOnce()
      } catch {
        // What was announced meanwhile is lost, so all look for themselves. They too wait for the server to return.
        for (const each of [...waiting]) answer(each, null)
        await sleep(retryMs)
      }
    }
    serving = false
  }

  async function serveOnce(): Promise<void> {
    const now = performance.now()
    const until = Math.min(now + longestSeconds * 1000, ...[...waiting].map((each) => each.until))
    call = { markers: new Set([...waiting].map((each) => each.marker)), until }
    isInterrupted = false
    try {
      const seconds = Math.max(until - now, shortestMs) / 1000
      const popped = await waiter.bzpopmin(bell, ...call.markers, seconds)
      if (popped) hand(...(popped as [string, string, string]))
    } finally {
      call = undefined
    }
    const late = performance.now() + togetherMs
    for (const each of [...waiting]) if (each.until <= late) answer(each, null)
  }

  function hand(key: string, member: string, score: string): void {
    if (key === bell) return
    const first = [...waiting].find((each) => each.marker === key)
    if (first) answer(first, { member, score: Number.parseInt(score, 10) })
    else putBack(key, member, score)
  }

  function answer(each: Waiting, found: Marker | null): void {
    if (waiting.delete(each)) each.answer(found)
  }

  function isAwaited(marker: string): boolean {
    return [...waiting].some((each) => each.marker === marker)
  }

  /** Its queue ended to wait while the marker was on its way. Another process may wait for it. */
  function putBack(key: string, member: string, score: string): void {
    asker.zadd(key, 'NX', score, member).catch(() => undefined)
  }

  /** An interruption that gets lost costs a late wake-up, as the call ends by itself. */
  function interrupt(): void {
    if (isInterrupted || ended) return
    isInterrupted = true
    asker
      .pipeline()
      .zadd(bell, 0, 'ring')
      .pexpire(bell, interruptionMs)
      .exec()
      .catch(() => undefined)
  }
}
