import { useEffect, useRef } from 'react'
import { useLocation } from 'wouter'

/** Calls when one goes to another page. */
export function useLeaving(onLeave: () => void): void {
  const [path] = useLocation()
  const known = useRef(path)
  const latest = useRef(onLeave)
  latest.current = onLeave
  useEffect(() => {
    if (known.current === path) return
    known.current = path
    latest.current()
  }, [path])
}
