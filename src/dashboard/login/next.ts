const elsewhere = 'http://elsewhere.invalid'
const longest = 2000

/**
 * Where somebody wanted to go, below the mount, if that is a page of ours; else the first page. No address that a browser
 * could take for another host, and none that leads back to a login.
 */
export function toNext(text: unknown): string {
  if (typeof text !== 'string' || text.length > longest || !text.startsWith('/')) return '/'
  if (!URL.canParse(text, elsewhere)) return '/'
  const { origin, pathname, search } = new URL(text, elsewhere)
  // A browser, too, takes `/..//host` and `/\host` apart before it goes there.
  const isOurs = origin === elsewhere && !pathname.startsWith('//')
  return isOurs && !/^\/log(in|out)(\/|$)/.test(pathname) ? pathname + search : '/'
}
