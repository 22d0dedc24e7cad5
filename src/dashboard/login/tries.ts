import { isIPv6 } from 'node:net'

/** How often one address may be wrong. */
export interface Tries {
  /** Counts one, before it is known how it ends. Gives 0, or after how many seconds the next may come. */
  take(address: string): number
  /** It was right, and so was none. */
  giveBack(address: string): void
}

/** So many at once, and then one each half a minute: enough for whoever has forgotten, and 3000 a day for who guesses. */
const most = 10
const eachMs = 30_000
const mostAddresses = 10_000

/** @param now in milliseconds */
export function createTries(now: () => number = () => performance.now()): Tries {
  /** When an address will have all its tries again. The one that was used longest ago comes first. */
  const wholeAt = new Map<string, number>()

  return {
    take(address) {
      const key = neighbourhoodOf(address)
      const used = Math.max(0, (wholeAt.get(key) ?? 0) - now())
      const tooMany = used + eachMs - most * eachMs
      if (tooMany > 0) return Math.ceil(tooMany / 1000)
      remember(key, now() + used + eachMs)
      return 0
    },
    giveBack(address) {
      const key = neighbourhoodOf(address)
      const at = (wholeAt.get(key) ?? 0) - eachMs
      if (at > now()) wholeAt.set(key, at)
      else wholeAt.delete(key)
    },
  }

  function remember(key: string, at: number): void {
    wholeAt.delete(key)
    wholeAt.set(key, at)
    if (wholeAt.size <= mostAddresses) return
    const [oldest] = wholeAt.keys()
    if (oldest !== undefined) wholeAt.delete(oldest)
  }
}

/** Whoever has one address of IPv6 has 2^64 of them. */
function neighbourhoodOf(address: string): string {
  if (!isIPv6(address) || address.includes('.')) return address
  const [head = '', tail] = address.split('::')
  const first = head === '' ? [] : head.split(':')
  const missing = tail === undefined ? 0 : 8 - first.length - (tail === '' ? 0 : tail.split(':').length)
  const groups = [...first, ...Array<string>(missing).fill('0'), ...(tail ? tail.split(':') : [])]
  return groups.slice(0, 4).join(':')
}
