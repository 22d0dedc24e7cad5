import { useLocation } from 'wouter'

/**
 * The name at the end of the page's address, whatever characters it has. The router decodes an address half, so that
 * `%` and `/` in a name cannot be told from those of the address any more.
 */
export function useName(): string {
  useLocation()
  return nameIn(location.pathname)
}

export function nameIn(path: string): string {
  const last = path.slice(path.lastIndexOf('/') + 1)
  try {
    return decodeURIComponent(last)
  } catch {
    return last
  }
}
