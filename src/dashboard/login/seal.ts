import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

/** Makes texts that only whoever has the secret can read or make. */
export interface Seal {
  /** @param value becomes JSON */
  close(value: unknown, lastsMs: number): string
  /** What was sealed; `'expired'`; or `undefined`, when it is none of ours. */
  open(text: string): { readonly value: unknown } | 'expired' | undefined
}

const ivBytes = 12
const tagBytes = 16
const longest = 4096

/**
 * AES-256-GCM. No two purposes share a key, so that a text for one is worth nothing for another.
 * @param purpose all that must be the same where it is opened
 */
export function createSeal(secret: string, purpose: string): Seal {
  const key = Buffer.from(hkdfSync('sha256', secret, 'celeriac dashboard', purpose, 32))

  return {
    close(value, lastsMs) {
      const iv = randomBytes(ivBytes)
      const cipher = createCipheriv('aes-256-gcm', key, iv)
      const plain = JSON.stringify({ value, until: Date.now() + lastsMs })
      const hidden = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
      return Buffer.concat([iv, hidden, cipher.getAuthTag()]).toString('base64url')
    },
    open(text) {
      const plain = text.length <= longest ? decipher(Buffer.from(text, 'base64url')) : undefined
      if (plain === undefined) return undefined
      const { value, until } = JSON.parse(plain) as { value: unknown; until: number }
      return Date.now() < until ? { value } : 'expired'
    },
  }

  function decipher(bytes: Buffer): string | undefined {
    if (bytes.length <= ivBytes + tagBytes) return undefined
    try {
      const opener = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivBytes))
      opener.setAuthTag(bytes.subarray(-tagBytes))
      const hidden = bytes.subarray(ivBytes, -tagBytes)
      return Buffer.concat([opener.update(hidden), opener.final()]).toString('utf8')
    } catch {
      return undefined
    }
  }
}
