import type { OutgoingHttpHeaders } from 'node:http'
import type { Response } from 'express'

/** An event, and no comment: a page must be able to hear that there is none. */
const heartbeatMs = 15_000
/** When a page comes back that lost its stream. The spread keeps those of a server that went from coming together. */
const retryMs = { least: 1000, spread: 2000 }

/** Proxies and compression must neither gather nor change what is sent. */
const headers: OutgoingHttpHeaders = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
}

/** What is sent to one page. */
export interface Stream {
  /** Sends it, or keeps it until the page takes more. Of what waits under one key, only the last is sent. */
  send(key: string, event: string, data: string): void
  end(): void
}

/**
 * Begins a stream of Server-Sent Events. No more waits for a slow reader than one event for each key.
 * @param longestStallMs who takes nothing for so long is dropped
 */
export function openStream(res: Response, longestStallMs: number): Stream {
  const waiting = new Map<string, string>()
  let stalled: NodeJS.Timeout | undefined
  const heartbeat = setInterval(() => {
    if (!res.writableNeedDrain) write('event: beat\ndata: 1\n\n')
  }, heartbeatMs)
  heartbeat.unref()

  res.writeHead(200, headers)
  res.on('drain', onDrain)
  res.once('close', () => {
    clearInterval(heartbeat)
    clearTimeout(stalled)
    waiting.clear()
  })
  write(`retry: ${retryMs.least + Math.floor(Math.random() * retryMs.spread)}\n\n`)

  return {
    send(key, event, data) {
      const text = `event: ${event}\ndata: ${data}\n\n`
      if (res.writableNeedDrain) waiting.set(key, text)
      else write(text)
    },
    end() {
      if (!res.writableEnded) res.end()
    },
  }

  function write(text: string): void {
    if (res.destroyed || res.writableEnded) return
    const hasRoom = res.write(text)
    flush(res)
    if (hasRoom || stalled) return
    stalled = setTimeout(() => res.destroy(), longestStallMs)
    stalled.unref()
  }

  function onDrain(): void {
    clearTimeout(stalled)
    stalled = undefined
    for (const [key, text] of waiting) {
      if (res.writableNeedDrain) return
      waiting.delete(key)
      write(text)
    }
  }
}

/** Middleware that compresses in spite of `no-transform` can be told to send what it has. */
function flush(res: Response): void {
  if ('flush' in res && typeof res.flush === 'function') res.flush()
}
