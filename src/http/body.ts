import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { BodyInvalidError, PayloadTooLargeError } from '../errors.js'

/**
 * Reads a request's JSON body. `undefined` when there is none.
 *
 * A reader of our own, because body-parser answers a body that is too large only when all of it has arrived, and takes
 * bytes that are no UTF-8 for text.
 *
 * @param maxBytes of the body as JSON, after decompression
 * @throws {BodyInvalidError} when it is not JSON, or not said to be
 * @throws {PayloadTooLargeError} as soon as that is known; the rest is discarded as it comes
 */
export async function readJson(req: IncomingMessage, maxBytes: number): Promise<unknown> {
  if (!hasBody(req)) return undefined
  if (req.readableEnded) throw new Error('The body was read before, and req.body was left undefined.')
  assertJsonType(req.headers['content-type'])
  const bytes = await readBytes(req, maxBytes)
  return bytes.length === 0 ? undefined : parse(bytes)
}

export function hasBody(req: IncomingMessage): boolean {
  return req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length']) > 0
}

/** Of what people and programs ask of workers: a few arguments. */
const smallBytes = 65_536

/**
 * A small JSON body, also where the app has a parser in front. What that left out, because it was not said to be JSON, is
 * refused.
 * @throws {BodyInvalidError} when it is not JSON, or not said to be
 * @param mostBytes default 64 KB
 * @throws {PayloadTooLargeError} when it has more
 */
export async function readSmallJson(
  req: IncomingMessage & { readonly body?: unknown },
  mostBytes = smallBytes,
): Promise<unknown> {
  if (!hasBody(req)) return undefined
  assertJsonType(req.headers['content-type'])
  return req.body === undefined || req.readableEnded === false ? readJson(req, mostBytes) : req.body
}

function assertJsonType(header: string | undefined): void {
  if (!header || !jsonType.test(header)) {
    throw new BodyInvalidError('MEDIA_TYPE', 'The body must be JSON: send Content-Type: application/json.')
  }
  const charset = charsetParameter.exec(header)?.[1]
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
    throw new BodyInvalidError('MEDIA_TYPE', 'The body must be JSON in UTF-8.')
  }
}

const jsonType = /^\s*application\/(?:[\w!#$&^.-]+\+)?json\s*(?:;|$)/i
const charsetParameter = /;\s*charset\s*=\s*"?([^";\s]*)/i

async function readBytes(req: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const encoding = req.headers['content-encoding']?.toLowerCase() ?? 'identity'
  if (encoding !== 'identity') return decompress(req, encoding, maxBytes)
  // What is said to be too large need not be read to know it.
  if (Number(req.headers['content-length']) > maxBytes) {
    req.resume()
    throw new PayloadTooLargeError(maxBytes)
  }
  return collect(req, req, maxBytes)
}

async function decompress(req: IncomingMessage, encoding: string, maxBytes: number): Promise<Buffer> {
  const create = decompressors.get(encoding)
  if (!create)
    throw new BodyInvalidError(
      'MEDIA_TYPE',
      'The body must be plain, or compressed with gzip, deflate or br.',
    )
  const plain = req.pipe(create())
  try {
    return await collect(req, plain, maxBytes)
  } finally {
    req.unpipe(plain)
    req.resume()
    // Destroying it in the middle of its work may give one more error, that nobody needs.
    plain.on('error', () => {})
    plain.destroy()
  }
}

const decompressors: ReadonlyMap<string, () => Duplex> = new Map<string, () => Duplex>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['deflate', createInflate],
  ['br', createBrotliDecompress],
])

/** All of `stream`, which carries the body of `req`. */
function collect(req: IncomingMessage, stream: Readable, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0

    const onData = (chunk: Buffer) => {
      size += chunk.length
      chunks.push(chunk)
      if (size > maxBytes) stop(() => reject(new PayloadTooLargeError(maxBytes)))
    }
    const onEnd = () =>
      stop(() => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
    const onError = (error: Error) => stop(() => reject(toBodyError(req, error)))
    const onClose = () => {
      if (!req.complete) onError(new Error('The client went away.'))
    }
    const stop = (settle: () => void) => {
      stream.off('data', onData).off('end', onEnd).off('error', onError)
      req.off('close', onClose)
      // Discards what still comes, so that the connection can be used again.
      req.resume()
      settle()
    }

    stream.on('data', onData).on('end', onEnd).on('error', onError)
    req.on('close', onClose)
    // It may have gone while a handler in front was busy, and then nothing more is said.
    if (isAborted(req)) onClose()
  })
}

function toBodyError(req: IncomingMessage, cause: Error): Error {
  if (isAborted(req)) return cause
  return new BodyInvalidError('BODY_NOT_JSON', 'The compressed body cannot be read.', { cause })
}

/** Whether the client went away before it had sent its whole request. */
export function isAborted(req: IncomingMessage): boolean {
  return req.destroyed && !req.complete
}

function parse(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new BodyInvalidError('BODY_NOT_JSON', 'The body is not UTF-8.')
  try {
    return JSON.parse(withoutMark(bytes.toString('utf8')))
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new BodyInvalidError('BODY_NOT_JSON', `The body is not JSON: ${message}`, { cause })
  }
}

/** Some editors and libraries begin a text with a byte order mark. */
function withoutMark(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text
}
