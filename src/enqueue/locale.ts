import type { Request } from 'express'

const longestHeader = 1000
const mostKnown = 500

// Browsers send the same few headers again and again.
const known = new Map<string, string | null>()

/** A BCP 47 tag: what the app says, else the first of `Accept-Language` that is well-formed. */
export function readLocale(
  localeOf: ((req: Request) => string | null | undefined) | undefined,
  req: Request,
): string | null {
  if (localeOf) return toTag(localeOf(req))
  const header = req.headers['accept-language']
  return typeof header === 'string' ? firstTag(header) : null
}

function firstTag(header: string): string | null {
  const present = known.get(header)
  if (present !== undefined) return present
  const tags = header.slice(0, longestHeader).split(',')
  const tag = tags.map((part) => toTag(part.split(';', 1)[0]?.trim())).find((each) => each !== null) ?? null
  if (known.size < mostKnown) known.set(header, tag)
  return tag
}

/** As it is usually written, `de-CH` for `de-ch`; `null` for what is none. */
function toTag(tag: unknown): string | null {
  if (typeof tag !== 'string' || tag.length > 100) return null
  try {
    return Intl.getCanonicalLocales(tag)[0] ?? null
  } catch {
    return null
  }
}
