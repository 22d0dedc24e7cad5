/** Where the trace of a job is shown. `undefined`: it has none, or nobody said where. */
export function traceLink(
  traceparent: string | null,
  traceUrl: string | null | undefined,
): string | undefined {
  const traceId = traceIdOf(traceparent)
  if (traceId === undefined || !traceUrl) return undefined
  return toWebLink(traceUrl.replaceAll('{traceId}', traceId))
}

/** Of a W3C `traceparent`. */
export function traceIdOf(traceparent: string | null): string | undefined {
  return /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/.exec(traceparent ?? '')?.[1]
}

/** Whatever else an address may begin with does more than show a page. */
function toWebLink(text: string): string | undefined {
  try {
    const { protocol, href } = new URL(text)
    return protocol === 'https:' || protocol === 'http:' ? href : undefined
  } catch {
    return undefined
  }
}
