import { useEffect, useRef } from 'react'
import { useLocation, useSearch } from 'wouter'

/** Calls when one goes to another page, or to another list of the same. */
export function useLeaving(onLeave: () => void): void {
  const [path] = useLocation()
  const address = `${path}?${useSearch()}`
  const known = useRef(address)
  const latest = useRef(onLeave)
  latest.current = onLeave
  useEffect(() => {
    if (known.current === address) return
    known.current = address
    latest.current()
  }, [address])
}
