import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { parentPort, workerData } from 'node:worker_threads'
import { healthCodes, isHealthCode, type Readiness, readinessOf, without } from './readiness.js'

/**
 * Answers probes from a thread of its own, so that a worker whose event loop hangs is told from one that is gone.
 * scripts/generate.mjs bundles this file into one string; what it imports needs nothing but Node.
 */
export interface HealthThreadData {
  readonly port: number
  readonly host: string | undefined
  /** An event loop that says nothing for so long stands still. */
  readonly stillAfterMs: number
}

/** `beat`: the event loop turns. */
export type ToHealthThread =
  | { readonly beat: true }
  | { readonly readiness: Readiness }
  | { readonly stop: true }

export type FromHealthThread =
  | { readonly listening: number }
  | { readonly failed: string; readonly code: string }

const data = workerData as HealthThreadData
/** A probe takes no longer, whoever asks and however slowly. */
const requestMs = 5000
let readiness = readinessOf([{ code: 'starting', message: 'The worker has not reached its servers yet.' }])
let beatAt = performance.now()

const server = createServer({ requestTimeout: requestMs, headersTimeout: requestMs }, answer)
server.once('error', (error: NodeJS.ErrnoException) => {
  tell({ failed: error.message, code: error.code ?? '' })
  parentPort?.close()
})
server.listen(data.port, data.host, () => {
  const address = server.address()
  tell({ listening: typeof address === 'object' && address ? address.port : data.port })
})

parentPort?.on('message', (message: ToHealthThread) => {
  beatAt = performance.now()
  if ('readiness' in message) readiness = message.readiness
  if ('stop' in message) stop()
})

function answer(request: IncomingMessage, response: ServerResponse): void {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2)
  const { status, body } = replyTo(request.method, path, new URLSearchParams(query))
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Cache-Control': 'no-store',
    Connection: 'close',
  })
  response.end(request.method === 'HEAD' ? undefined : `${JSON.stringify(body)}\n`)
}

interface Reply {
  readonly status: number
  readonly body: object
}

function replyTo(method: string | undefined, path: string, query: URLSearchParams): Reply {
  if (method !== 'GET' && method !== 'HEAD') return { status: 405, body: { error: 'Ask with GET.' } }
  if (path === '/health/live') return toReply(readinessOf(stillness()))
  if (path === '/health/ready') return toReady(query.get('exclude') ?? '')
  return { status: 404, body: { error: 'There are /health/live and /health/ready here.' } }
}

function toReady(exclude: string): Reply {
  const excluded = exclude.split(',').filter((code) => code !== '')
  if (excluded.every(isHealthCode))
    return toReply(without(readinessOf([...stillness(), ...readiness.reasons]), excluded))
  return { status: 400, body: { error: `"exclude" takes reasons by comma: ${healthCodes.join(', ')}.` } }
}

function toReply(body: Readiness): Reply {
  return { status: body.ready ? 200 : 503, body }
}

function stillness() {
  const stillMs = performance.now() - beatAt
  if (stillMs < data.stillAfterMs) return []
  const since = new Date(Date.now() - stillMs).toISOString()
  const message = `The event loop has stood still since ${since}, for ${Math.round(stillMs / 1000)} s: a handler keeps it busy.`
  return [{ code: 'loop-blocked', message } as const]
}

function tell(message: FromHealthThread): void {
  parentPort?.postMessage(message)
}

function stop(): void {
  server.close(() => process.exit(0))
  server.closeAllConnections()
}
