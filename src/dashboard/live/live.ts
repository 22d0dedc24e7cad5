import type { Request, Response } from 'express'
import type { Visitor } from '../access.js'
import type { Refusal } from '../answer.js'
import type { Hub, Load } from './hub.js'
import { openStream } from './stream.js'

/** An address that a page watches, as the page has it. */
export interface Watched {
  readonly watch: string
  /** The same for all who mean the same. */
  readonly address: string
  readonly load: Load
  /** Why a body of that many characters is not told; `undefined`: it is. */
  refusal?(length: number): Error | undefined
}

export interface LiveDeps {
  readonly hub: Hub
  /** Whether who opened a stream may still see what it shows. */
  readonly isAllowed: (req: Request) => Promise<boolean>
  /** What a page is told of a load that failed. */
  readonly refusalOf: (error: unknown) => Refusal
  /** Aborted when the app closes. */
  readonly closing: AbortSignal
  readonly times?: LiveTimes
}

export interface LiveTimes {
  /** Whether a visitor may still see what he sees is asked so often. */
  readonly checkMs: number
  /** An app that knows its visitors by what it read when the stream began reads it anew then. */
  readonly longestMs: number
  /** A server that no longer listens waits for its streams: they look at it. */
  readonly lookMs: number
  /** Who takes nothing for so long is gone without a word. */
  readonly longestStallMs: number
}

const usualTimes: LiveTimes = Object.freeze({
  checkMs: 60_000,
  longestMs: 600_000,
  lookMs: 1000,
  longestStallMs: 30_000,
})

/** The streams of one process. */
export interface Live {
  /** Why there can be no other one for whoever asks; `undefined`: there can. */
  refusal(req: Request, visitor: Visitor): Refusal | undefined
  open(req: Request, res: Response, visitor: Visitor, watched: readonly Watched[]): void
}

/** All of a process: one for each open page. */
export const mostStreams = 300
/** Of one person; where `authorize` gives no names, of one address, which may be that of a proxy. */
export const mostOfOne = 20
const mostOfAddress = 100

interface Open {
  readonly req: Request
  readonly visitor: string
  readonly end: () => void
  checkAt: number
  readonly endAt: number
}

export function createLive({ hub, isAllowed, refusalOf, closing, times = usualTimes }: LiveDeps): Live {
  const streams = new Set<Open>()
  let looking: NodeJS.Timeout | undefined
  closing.addEventListener('abort', () => {
    for (const { end } of streams) end()
  })

  return {
    refusal(req, visitor) {
      if (closing.aborted) return tooMany(503, 'This server is about to close. Ask again.')
      if (streams.size >= mostStreams)
        return tooMany(503, 'This process serves as many streams as it can. Ask now and then instead.')
      const name = nameOf(req, visitor)
      const most = visitor.by === null ? mostOfAddress : mostOfOne
      if ([...streams].filter((each) => each.visitor === name).length < most) return undefined
      return tooMany(
        429,
        `You have ${most} streams open already. Close some pages, or ask now and then instead.`,
      )
    },
    open(req, res, visitor, watched) {
      if (res.destroyed) return
      const stream = openStream(res, times.longestStallMs)
      const now = performance.now()
      const open: Open = {
        ...{ req, visitor: nameOf(req, visitor), end: stream.end },
        ...{ checkAt: now + times.checkMs, endAt: now + spread(times.longestMs) },
      }
      streams.add(open)
      const unwatch = watched.map(({ watch, address, load, refusal }) => {
        const place = JSON.stringify(watch)
        const onFailure = (error: unknown) =>
          stream.send(watch, 'problem', `{"watch":${place},"problem":${toProblem(refusalOf(error))}}`)
        return hub.watch(address, load, {
          onChange({ body }) {
            const refused = refusal?.(body.length)
            if (refused) onFailure(refused)
            else stream.send(watch, 'data', `{"watch":${place},"body":${body}}`)
          },
          onFailure,
        })
      })
      res.once('close', () => {
        streams.delete(open)
        for (const each of unwatch) each()
        if (streams.size === 0) stopLooking()
      })
      looking ??= setInterval(look, times.lookMs).unref()
    },
  }

  function look(): void {
    const now = performance.now()
    for (const open of streams) {
      if (now >= open.endAt || !isListening(open.req)) open.end()
      else if (now >= open.checkAt) check(open, now)
    }
  }

  function check(open: Open, now: number): void {
    open.checkAt = now + times.checkMs
    isAllowed(open.req).then(
      (isOne) => {
        if (!isOne) open.end()
      },
      () => open.end(),
    )
  }

  function stopLooking(): void {
    clearInterval(looking)
    looking = undefined
  }
}

function nameOf({ ip }: Request, { by }: Visitor): string {
  return by === null ? `address ${ip}` : `name ${by}`
}

/** Not all pages come back in the same moment. */
function spread(ms: number): number {
  return ms * (0.8 + Math.random() * 0.4)
}

/** A server that is about to close takes no more requests, and waits for those that are open. */
function isListening({ socket }: Request): boolean {
  const server: unknown = 'server' in socket ? socket.server : undefined
  if (typeof server !== 'object' || server === null || !('listening' in server)) return true
  return server.listening !== false
}

function toProblem({ status, code, message }: Refusal): string {
  return JSON.stringify({ status, code, detail: message })
}

function tooMany(status: 429 | 503, message: string): Refusal {
  return { status, code: 'TOO_MANY_STREAMS', message, retryAfterSeconds: 30 }
}
