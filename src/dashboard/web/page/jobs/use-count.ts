import { useEffect, useState } from 'react'
import type { JobsQuery } from '../../../api/contract.js'
import { addressOf } from '../../api/address.js'
import { call } from '../../api/call.js'

export interface Counted {
  readonly count: number
  readonly isMore: boolean
}

const againMs = 60_000

/** How many match, up to `most`. It costs more than a page, so it is asked once, and again now and then. */
export function useCount(query: JobsQuery, isWanted: boolean, most = 10_000): Counted | undefined {
  const address = addressOf('GET /job-count', { query: { ...query, most } })
  const [known, setKnown] = useState<Counted & { readonly address: string }>()
  // biome-ignore lint/correctness/useExhaustiveDependencies: the address says all of the query
  useEffect(() => {
    if (!isWanted) return
    const gone = new AbortController()
    const ask = async () => {
      if (document.hidden) return
      // The list tells what is wrong with the same filter.
      const counted = await call('GET /job-count', { query: { ...query, most } }, gone.signal).catch(() => {})
      if (counted && !gone.signal.aborted) setKnown({ ...counted, address })
    }
    void ask()
    const timer = setInterval(() => void ask(), againMs)
    return () => {
      clearInterval(timer)
      gone.abort()
    }
  }, [address, isWanted])
  return isWanted && known?.address === address ? known : undefined
}
