import { AsyncLocalStorage } from 'node:async_hooks'
import type { Request } from 'express'

/** What a job takes over from the request that enqueues it. */
export interface RequestOrigin {
  readonly requestId: string | null
  readonly traceparent: string | null
}

/** Says who a request belongs to: the option `owner`. */
export type OwnerOf = (req: Request) => string | null | undefined | Promise<string | null | undefined>

// It holds no state of ours, only the way from a request to the calls made inside it, so all instances share it.
const requests = new AsyncLocalStorage<Request>()

/** Runs `work` so that every enqueue inside it, awaited or not, belongs to `req`. */
export function runInRequest<T>(req: Request, work: () => T): T {
  return requests.run(req, work)
}

/** The request that this code runs for, if any. */
export function currentRequest(): Request | undefined {
  return requests.getStore()
}

/** The owner of a request at this moment. Anything but a non-empty string is nobody. */
export async function readOwner(ownerOf: OwnerOf, req: Request): Promise<string | null> {
  const owner: unknown = await ownerOf(req)
  return typeof owner === 'string' && owner !== '' ? owner : null
}

/** Request id and trace context. Values that are not of the usual form are left out: they end up in rows and logs. */
export function readOrigin(req: Request): RequestOrigin {
  return { requestId: requestIdOf(req), traceparent: traceparentOf(req) }
}

/** `req.id`, as pino-http and its like set it, else the header that proxies send. */
function requestIdOf(req: Request): string | null {
  const own: unknown = 'id' in req ? req.id : undefined
  const id = typeof own === 'number' ? String(own) : (own ?? req.headers['x-request-id'])
  return typeof id === 'string' && requestIdPattern.test(id) ? id : null
}

const requestIdPattern = /^[\x21-\x7e]{1,200}$/

function traceparentOf(req: Request): string | null {
  const header = req.headers.traceparent
  return typeof header === 'string' && traceparentPattern.test(header) ? header : null
}

// Later versions of the header may be longer, and must be read by their first four fields.
const traceparentPattern =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[\x21-\x7e]{0,200})?$/
