import { gunzipSync } from 'node:zlib'
import type { Request, Response } from 'express'
import { htmlType, send } from './answer.js'

/** Serves the pages. They are one document, whose script shows what its address says, and the files that it needs. */
export interface Pages {
  /** `false`: no page has this address, and nothing was answered. */
  show(req: Request, res: Response, path: string, nonce: string): Promise<boolean>
}

/** Addresses of pages, below the mount. `:` stands for one name. */
const addresses = [
  '/',
  '/jobs',
  '/jobs/:',
  '/tasks',
  '/tasks/:',
  '/queues',
  '/queues/:',
  '/workers',
  '/workers/:',
  '/system',
  '/audit',
  '/audit/:',
] as const

const pattern = new RegExp(`^(?:${addresses.map((each) => each.replace(':', '[^/]+')).join('|')})$`)

export function createPages(): Pages {
  let built: Promise<Built> | undefined

  return {
    async show(req, res, path, nonce) {
      if (!path.startsWith('/assets/') && !pattern.test(path)) return false
      built ??= load()
      const { page, files } = await built
      if (!path.startsWith('/assets/')) {
        send(res, { status: 200, type: htmlType, body: toPage(page, baseOf(path), nonce) })
        return true
      }
      const file = files.get(path.slice(1))
      if (!file) return false
      sendFile(req, res, file)
      return true
    },
  }
}

interface File {
  readonly type: string
  readonly gzip: Buffer
}

interface Built {
  readonly page: string
  readonly files: ReadonlyMap<string, File>
}

/** At the first request for one: most processes are asked for none. */
async function load(): Promise<Built> {
  const { page, files } = await import('./generated/pages.js')
  return {
    page,
    files: new Map(
      files.map(({ name, type, gzip }) => [name, { type, gzip: Buffer.from(gzip, 'base64') }] as const),
    ),
  }
}

/** Where the mount is, seen from a page: the browser alone knows which address it asked for. */
function baseOf(path: string): string {
  return '../'.repeat(path.split('/').length - 2) || './'
}

function toPage(page: string, base: string, nonce: string): string {
  return page
    .replace('<base href="./"', `<base href="${base}"`)
    .replace('__NONCE__', nonce)
    .replaceAll('<script', `<script nonce="${nonce}"`)
}

/** Its name says its content, so it may be kept for ever, but not by a cache that serves others. */
function sendFile(req: Request, res: Response, { type, gzip }: File): void {
  const isPacked = req.acceptsEncodings('gzip') !== false
  const body = isPacked ? gzip : gunzipSync(gzip)
  res.writeHead(200, {
    'Content-Type': type,
    'Content-Length': body.length,
    'Cache-Control': 'private, max-age=31536000, immutable',
    Vary: 'Accept-Encoding',
    ...(isPacked ? { 'Content-Encoding': 'gzip' } : {}),
  })
  res.end(req.method === 'HEAD' ? undefined : body)
}
