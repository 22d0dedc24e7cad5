import { useSyncExternalStore } from 'react'

// As the style sheets have it.
const query = matchMedia('(max-width: 900px)')

/** Whether there is no room for a column at the side: a phone, or a small window. */
export function useNarrow(): boolean {
  return useSyncExternalStore(
    (listener) => {
      query.addEventListener('change', listener)
      return () => query.removeEventListener('change', listener)
    },
    () => query.matches,
  )
}
