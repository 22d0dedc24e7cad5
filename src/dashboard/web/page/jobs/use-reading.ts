import { useEffect, useState } from 'react'

const scrolledBy = 160

/**
 * Whether somebody reads the list right now: points into it, has the focus in it, or has scrolled down. What one is about
 * to press must not move away.
 */
export function useReading() {
  const [isPointing, setPointing] = useState(false)
  const [isFocused, setFocused] = useState(false)
  const [isScrolled, setScrolled] = useState(false)
  useEffect(() => {
    const look = () => setScrolled(scrollY > scrolledBy)
    addEventListener('scroll', look, { passive: true })
    return () => removeEventListener('scroll', look)
  }, [])
  return {
    isReading: isPointing || isFocused || isScrolled,
    /** Of what is around the list, with what stands at its head. */
    props: {
      onPointerEnter: () => setPointing(true),
      onPointerLeave: () => setPointing(false),
      onFocus: () => setFocused(true),
      onBlur: () => setFocused(false),
    },
  }
}
