import { useCallback, useState } from 'react'

/**
 * Whether one points into an element: its `ref` is to be given to it. Heard from the element itself, for in React's tree
 * a dialog that is opened within would be a part of it.
 */
export function usePointed() {
  const [isPointed, setPointed] = useState(false)
  const ref = useCallback((element: HTMLElement | null) => {
    const enter = () => setPointed(true)
    const leave = () => setPointed(false)
    element?.addEventListener('pointerenter', enter)
    element?.addEventListener('pointerleave', leave)
    return () => {
      element?.removeEventListener('pointerenter', enter)
      element?.removeEventListener('pointerleave', leave)
      leave()
    }
  }, [])
  return { isPointed, ref }
}
