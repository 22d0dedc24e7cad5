import { randomUUID } from 'node:crypto'
import type { Request, Response } from 'express'
import type { OidcConfig } from '../../config/dashboard.js'
import { createCookie } from './cookie.js'
import type { Identity } from './role.js'
import { createSeal } from './seal.js'

/** Somebody who has logged in, as his browser carries it. */
export interface Session {
  /** Of this login. */
  readonly id: string
  readonly identity: Identity
}

/** Sessions are in sealed cookies, so that any instance that has the secret knows them, also after a restart. */
export interface Sessions {
  read(req: Pick<Request, 'headers'>): Session | 'expired' | undefined
  /** A new one, whatever there was. */
  begin(res: Response, identity: Identity): Session
  end(res: Response): void
}

export function createSessions(
  secret: string,
  publicUrl: URL,
  { issuer, clientId, sessionMs }: Pick<OidcConfig, 'issuer' | 'clientId' | 'sessionMs'>,
): Sessions {
  const cookie = createCookie('session', publicUrl, 'Strict')
  const seal = createSeal(secret, JSON.stringify(['session 1', publicUrl.href, issuer, clientId]))

  return {
    read(req) {
      const text = cookie.read(req)
      const opened = text === undefined || text === '' ? undefined : seal.open(text)
      if (opened === undefined || opened === 'expired') return opened
      return opened.value as Session
    },
    begin(res, identity) {
      const session = { id: randomUUID(), identity }
      cookie.set(res, seal.close(session, sessionMs), sessionMs)
      return session
    },
    end: cookie.clear,
  }
}
