import { useCallback, useMemo } from 'react'
import { useSearchParams } from 'wouter'
import type { Range } from '../../api/contract.js'

/** What the address says behind its path: all that a page shows stands there, so that a link shows the same. */
export function useSearch() {
  const [params, setParams] = useSearchParams()
  /** Empty texts go from the address. `isStep`: the way back leads to what was shown before. */
  const set = useCallback(
    (changes: Readonly<Record<string, string | readonly string[] | undefined>>, { isStep = false } = {}) => {
      setParams(
        (before) => {
          const next = new URLSearchParams(before)
          for (const [name, value] of Object.entries(changes)) {
            next.delete(name)
            for (const each of value === undefined ? [] : [value].flat())
              if (each !== '') next.append(name, each)
          }
          return next
        },
        { replace: !isStep },
      )
    },
    [setParams],
  )
  return useMemo(
    () => ({
      get: (name: string) => params.get(name) ?? '',
      all: (name: string) => params.getAll(name),
      set,
    }),
    [params, set],
  )
}

export const ranges = ['15m', '1h', '6h', '24h', '7d', '30d'] as const satisfies Range[]

/** How far back the page looks. */
export function useRange(unsaid: Range = '1h'): readonly [Range, (range: Range) => void] {
  const search = useSearch()
  const said = ranges.find((range) => range === search.get('range'))
  return [said ?? unsaid, (range) => search.set({ range: range === unsaid ? undefined : range })]
}
