import { createHash } from 'node:crypto'
import type { Request, Response } from 'express'

/** A cookie that scripts cannot read, and no other host can set. */
export interface Cookie {
  readonly name: string
  read(req: Pick<Request, 'headers'>): string | undefined
  set(res: Response, value: string, lastsMs: number): void
  clear(res: Response): void
}

/**
 * @param publicUrl of the dashboard: two on one host have cookies of their own
 * @param sameSite `Strict`: it is not sent with what another site begins
 */
export function createCookie(word: string, publicUrl: URL, sameSite: 'Strict' | 'Lax'): Cookie {
  // Only on this very machine is it plain HTTP, and there no browser would take it otherwise.
  const isSecure = publicUrl.protocol === 'https:'
  const name = `${isSecure ? '__Host-' : ''}celeriac-${word}-${shortHash(publicUrl.href)}`
  const rest = `Path=/; HttpOnly; ${isSecure ? 'Secure; ' : ''}SameSite=${sameSite}`

  return {
    name,
    read({ headers: { cookie = '' } }) {
      for (const part of cookie.split(';')) {
        const at = part.indexOf('=')
        if (part.slice(0, Math.max(at, 0)).trim() === name) return part.slice(at + 1).trim()
      }
      return undefined
    },
    set(res, value, lastsMs) {
      res.append('Set-Cookie', `${name}=${value}; Max-Age=${Math.floor(lastsMs / 1000)}; ${rest}`)
    },
    clear(res) {
      res.append('Set-Cookie', `${name}=; Max-Age=0; ${rest}`)
    },
  }
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}
