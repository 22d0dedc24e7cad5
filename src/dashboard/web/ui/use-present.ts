import { useEffect, useRef } from 'react'

/** Says whether what asks is still on the page: what was begun there may end when one is elsewhere. */
export function usePresent(): () => boolean {
  const isPresent = useRef(false)
  useEffect(() => {
    isPresent.current = true
    return () => {
      isPresent.current = false
    }
  }, [])
  return () => isPresent.current
}
