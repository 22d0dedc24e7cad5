import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { DashboardRole } from '../../control/access.js'
import { isPassword, nobodysHash } from './password.js'
import type { Tries } from './tries.js'
import type { User } from './users.js'

/** What came of a name and a password. */
export type BasicAnswer =
  /** `isNew`: since this process began. */
  | { readonly kind: 'known'; readonly name: string; readonly role: DashboardRole; readonly isNew: boolean }
  /** The name, if there is such. */
  | { readonly kind: 'wrong'; readonly name: string | null; readonly isTry: boolean }
  | { readonly kind: 'wait'; readonly seconds: number }

export interface BasicLogin {
  /**
   * @param header of `Authorization`
   * @param address of who asks
   */
  check(header: string, address: string): Promise<BasicAnswer>
}

/** Each guess costs a third of a second of a core, and there are not many cores. */
const mostAtOnce = 8

/**
 * Logins by name and password. Who asked and was right is known again without the work of a hash; who is wrong learns
 * neither from the answer nor from its time whether there is such a name.
 */
export function createBasicLogin(users: readonly User[], tries: Tries): BasicLogin {
  const byName = new Map(users.map((user) => [user.name, user]))
  const key = randomBytes(32)
  const right = new Map<string, Buffer>()
  const nobody = nobodysHash()
  let checking = 0

  return {
    async check(header, address) {
      const said = readHeader(header)
      if (!said) return { kind: 'wrong', name: null, isTry: false }
      const { name, password } = said
      const user = byName.get(name)
      const digest = digestOf(password)
      const before = right.get(name)
      if (user && before && timingSafeEqual(before, digest)) return known(user, false)

      const seconds = tries.take(address)
      if (seconds > 0) return { kind: 'wait', seconds }
      if (checking >= mostAtOnce) {
        tries.giveBack(address)
        return { kind: 'wait', seconds: 1 }
      }
      if (!user || !(await isRight(user, password, digest))) {
        if (!user) await hardWork(password)
        return { kind: 'wrong', name: user?.name ?? null, isTry: true }
      }
      tries.giveBack(address)
      right.set(name, digest)
      return known(user, true)
    },
  }

  async function isRight({ password: expected }: User, password: string, digest: Buffer): Promise<boolean> {
    if (typeof expected !== 'string') return working(() => isPassword(password, expected))
    const isSame = timingSafeEqual(digestOf(expected), digest)
    await hardWork(password)
    return isSame
  }

  async function hardWork(password: string): Promise<void> {
    await working(() => isPassword(password, nobody))
  }

  async function working<T>(work: () => Promise<T>): Promise<T> {
    checking += 1
    try {
      return await work()
    } finally {
      checking -= 1
    }
  }

  /** Of one length, so that they can be compared in constant time. */
  function digestOf(password: string): Buffer {
    return createHmac('sha256', key).update(password.normalize('NFKC')).digest()
  }
}

function known({ name, role }: User, isNew: boolean): BasicAnswer {
  return { kind: 'known', name, role, isNew }
}

const longest = 2000

/** As RFC 7617 has it, in UTF-8. */
function readHeader(header: string): { readonly name: string; readonly password: string } | undefined {
  const encoded = header.length <= longest ? /^Basic +([\w+/-]+=*)\s*$/i.exec(header)?.[1] : undefined
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon === -1 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) }
}
