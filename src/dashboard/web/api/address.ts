import type { ParamsOf, QueryOf, RouteName } from '../../api/contract.js'

// The server has written where the pages are, relative to the one that was asked for. Made absolute before anything
// moves on, or the first step to another page would change what it means.
const base = document.querySelector('base')
if (base) base.href = new URL('.', document.baseURI).href

/** Where the pages are mounted: a path that begins with a slash and does not end with one; empty for the root. */
export const mount = new URL(document.baseURI).pathname.replace(/\/$/, '')

/** A name that takes parameters must be given them. */
export type Asked<Name extends RouteName> = (keyof ParamsOf<Name> extends never
  ? { readonly params?: undefined }
  : { readonly params: ParamsOf<Name> }) & { readonly query?: Loose<QueryOf<Name>> }

/** What is empty is not said. */
type Loose<Query> = { readonly [Key in keyof Query]?: Query[Key] | undefined }

/** The address below the API, as `/jobs?state=failed`. */
export function addressOf<Name extends RouteName>(name: Name, asked: Asked<Name>): string {
  const path = name.slice(name.indexOf(' ') + 1)
  const params = (asked.params ?? {}) as Readonly<Record<string, string>>
  const filled = path.replace(/:(\w+)/g, (_, key: string) => encodeURIComponent(params[key] ?? ''))
  const query = new URLSearchParams()
  for (const [key, value] of Object.entries(asked.query ?? {})) {
    if (value === undefined || value === null || value === '') continue
    for (const each of Array.isArray(value) ? value : [value]) query.append(key, String(each))
  }
  const text = query.toString()
  return text === '' ? filled : `${filled}?${text}`
}

export function urlOf(address: string): string {
  return new URL(`api${address}`, document.baseURI).href
}
