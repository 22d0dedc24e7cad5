import { useMemo } from 'react'
import { navigate, usePathname, useSearch as useText } from 'wouter/use-browser-location'
import type { Range } from '../../api/contract.js'
import { mount } from './address.js'

/** What the address says behind its path: all that a page shows stands there, so that a link shows the same. */
export function useSearch() {
  // As the browser has them. The router decodes whole addresses, and what was written as `%2541` would come as `A`.
  const text = useText()
  const path = usePathname().slice(mount.length) || '/'
  const params = useMemo(() => new URLSearchParams(text), [text])
  return useMemo(
    () => ({
      get: (name: string) => params.get(name) ?? '',
      all: (name: string) => params.getAll(name),
      names: [...new Set(params.keys())],
      set: setSearch,
      /** The address of this page with something else said, for a link. */
      hrefWith: (changes: SearchChanges) => join(path, changed(params, changes)),
    }),
    [params, path],
  )
}

/** Empty texts go from the address. `isStep`: the way back leads to what was shown before. */
function setSearch(changes: SearchChanges, { isStep = false } = {}): void {
  const next = changed(new URLSearchParams(location.search), changes)
  // A page may have noted in its step how one came there.
  navigate(join(location.pathname, next), isStep ? {} : { replace: true, state: history.state as unknown })
}

function join(path: string, params: URLSearchParams): string {
  const text = params.toString()
  return text === '' ? path : `${path}?${text}`
}

/** The name that stands at the end of the address, such as a task's. */
export function useName(): string {
  return nameIn(usePathname())
}

/** Something that nobody encoded is shown as it is. */
function nameIn(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1)
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
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
