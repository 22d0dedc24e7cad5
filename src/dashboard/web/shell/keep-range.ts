/** How far back one looks is kept from page to page, where both have it. The jobs have a time of their own. */
export function withRange(to: string, from: string, range: string): string {
  return range !== '' && isRanged(to) && isRanged(from) ? `${to}?${new URLSearchParams({ range })}` : to
}

function isRanged(path: string): boolean {
  return path === '/' || /^\/(tasks|queues)(\/|$)|^\/workers\/./.test(path)
}
