import { useCallback, useMemo } from 'react'
import { useLocation, useSearchParams } from 'wouter'
import type { Range } from '../../api/contract.js'

/** What the address says behind its path: all that a page shows stands there, so that a link shows the same. */
export function useSearch() {
  const [params, setParams] = useSearchParams()
  const [path] = useLocation()
  /** Empty texts go from the address. `isStep`: the way back leads to what was shown before. */
  const set = useCallback(
    (changes: SearchChanges, { isStep = false } = {}) => {
      setParams(
        (before) => changed(before, changes),
        // A page may have noted in its step how one came there.
        isStep ? {} : { replace: true, state: history.state },
      )
    },
    [setParams],
  )
  return useMemo(
    () => ({
      get: (name: string) => params.get(name) ?? '',
      all: (name: string) => params.getAll(name),
      set,
      /** The address of this page with something else said, for a link. */
      hrefWith(changes: SearchChanges) {
        const text = changed(params, changes).toString()
        return text === '' ? path : `${path}?${text}`
      },
    }),
    [params, set, path],
  )
}

type SearchChanges = Readonly<Record<string, string | readonly string[] | undefined>>

function changed(before: URLSearchParams, changes: SearchChanges): URLSearchParams {
  const next = new URLSearchParams(before)
  for (const [name, value] of Object.entries(changes)) {
    next.delete(name)
    for (const each of value === undefined ? [] : [value].flat()) if (each !== '') next.append(name, each)
  }
  return next
}

export const ranges = ['15m', '1h', '6h', '24h', '7d', '30d'] as const satisfies Range[]

/** How far back the page looks. */
export function useRange(unsaid: Range = '1h'): readonly [Range, (range: Range) => void] {
  const search = useSearch()
  const said = ranges.find((range) => range === search.get('range'))
  return [said ?? unsaid, (range) => search.set({ range: range === unsaid ? undefined : range })]
}
