import { useEffect, useState } from 'react'
import { usePointed } from '../../ui/use-pointed.js'

const scrolledBy = 160

/**
 * Whether somebody reads the list right now: points into it, has the focus in it, or has scrolled down. What one is about
 * to press must not move away.
 */
export function useReading() {
  const { isPointed, ref } = usePointed()
  const [isFocused, setFocused] = useState(false)
  const [isScrolled, setScrolled] = useState(false)
  useEffect(() => {
    const look = () => setScrolled(scrollY > scrolledBy)
    addEventListener('scroll', look, { passive: true })
    return () => removeEventListener('scroll', look)
  }, [])
  useEffect(() => {
    // What had the focus and was removed does not say that it has lost it.
    if (document.activeElement === document.body) setFocused(false)
  })
  return {
    isReading: isPointed || isFocused || isScrolled,
    /** Of what is around the list, with what stands at its head. */
    props: {
      ref,
      onFocus: () => setFocused(true),
      onBlur: () => setFocused(false),
    },
  }
}
