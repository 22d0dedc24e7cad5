import type { OutgoingHttpHeaders } from 'node:http'
import type { Request, Response } from 'express'
import { fromEventId, type JobEvent } from '../job/event.js'
import type { Job } from '../job/job.js'
import { isEnd } from '../job/state.js'
import { findVisible } from './find.js'
import type { Call, HttpDeps } from './http.js'
import { withLinks } from './link.js'
import { notFound, sendProblem } from './problem.js'
import { isAnswered } from './wait.js'

const heartbeatMs = 15_000
/** A client that takes nothing for so long is gone without a word. */
const longestStallMs = 60_000
/** When a client comes back that lost its stream. The spread keeps those of a server that went from coming together. */
const retryMs = { least: 1000, spread: 2000 }

/** `GET /jobs/:id/events`: what happens to the job, as Server-Sent Events, until its end. */
export async function streamEvents(jobs: HttpDeps, call: Call): Promise<void> {
  const { req, res } = call
  const job = await findVisible(jobs, call)
  if (isAnswered(res)) return
  if (!job) {
    sendProblem(res, notFound)
    return
  }
  const after = lastEventId(req)
  if (hasSeenEnd(job, after)) {
    res.writeHead(204, { 'Cache-Control': 'no-store' }).end()
    return
  }
  res.writeHead(200, headers)
  if (req.method === 'HEAD') res.end()
  else await stream(jobs, call, after)
}

async function stream(jobs: HttpDeps, call: Call, after: string | undefined): Promise<void> {
  const { res, id } = call
  const gone = new AbortController()
  res.once('close', () => gone.abort())
  const client = createStream(res)
  try {
    await client.send(`retry: ${retryMs.least + Math.floor(Math.random() * retryMs.spread)}\n\n`)
    for await (const event of jobs.events(id, { ...(after && { after }), signal: gone.signal })) {
      const data = toData(event, call, jobs.showsLogs)
      if (data) await client.send(`id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(data)}\n\n`)
    }
  } catch {
    // The client is gone, or the app is closing, or the job is gone: whoever still listens comes back and is told.
  } finally {
    client.close()
  }
}

/** Proxies and compression must neither gather nor change what is sent. */
const headers: OutgoingHttpHeaders = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  'Cache-Control': 'no-cache, no-transform',
  'X-Accel-Buffering': 'no',
  'X-Content-Type-Options': 'nosniff',
}

function lastEventId(req: Request): string | undefined {
  return [req.headers['last-event-id']].flat()[0]
}

/** An EventSource comes back when a stream has ended, until it is answered 204. */
function hasSeenEnd({ state, delivery }: Job, after: string | undefined): boolean {
  return isEnd(state) && fromEventId(after).end === delivery
}

/** What the client is told; nothing for a line that is not for it. */
function toData(event: JobEvent, { base }: Call, showsLogs: boolean): object | undefined {
  switch (event.type) {
    case 'state':
      return withLinks(event.status, base)
    case 'progress':
      return { attempt: event.attempt, progress: event.progress }
    case 'log': {
      const { attempt, level, message, at } = event
      return showsLogs ? { attempt, level, message, at } : undefined
    }
    case 'gone':
      return {}
  }
}

interface Stream {
  /** Resolves when the client may be sent more. @throws when it is gone */
  send(text: string): Promise<void>
  close(): void
}

/** A comment every 15 s keeps proxies from closing what is silent. */
function createStream(res: Response): Stream {
  const heartbeat = setInterval(() => {
    if (res.writableNeedDrain) return
    res.write(':\n\n')
    flush(res)
  }, heartbeatMs)
  heartbeat.unref()
  return {
    async send(text) {
      if (res.destroyed) throw new Error('The client is gone.')
      const hasRoom = res.write(text)
      flush(res)
      if (!hasRoom) await drained(res)
    },
    close() {
      clearInterval(heartbeat)
      res.end()
    },
  }
}

/** Middleware that compresses in spite of `no-transform` can be told to send what it has. */
function flush(res: Response): void {
  if ('flush' in res && typeof res.flush === 'function') res.flush()
}

function drained(res: Response): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(stalled)
      res.off('drain', done)
      res.off('close', done)
      resolve()
    }
    const stalled = setTimeout(() => res.destroy(), longestStallMs)
    stalled.unref()
    res.once('drain', done)
    res.once('close', done)
  })
}
