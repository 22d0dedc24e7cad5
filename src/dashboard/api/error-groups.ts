import type { ErrorHead, JobError } from '../../store/store.js'
import type { ErrorGroup } from './contract.js'

/** Jobs by what went wrong, the most frequent first. One that has not ended is retried. */
export function groupErrors(jobs: readonly JobError[]): ErrorGroup[] {
  const groups = new Map<string, ErrorGroup>()
  for (const { id, error, startedAt, finishedAt } of jobs) {
    const lastAt = finishedAt ?? startedAt
    if (!error || !lastAt) continue
    const kind = kindOf(error)
    const key = `${kind.name}\n${kind.message}`
    const group = { ...kind, count: 1, retrying: finishedAt ? 0 : 1, lastAt, jobId: id }
    const present = groups.get(key)
    groups.set(key, present ? together(present, group) : group)
  }
  return [...groups.values()].sort((one, other) => other.count - one.count)
}

function together(one: ErrorGroup, other: ErrorGroup): ErrorGroup {
  return {
    ...(other.lastAt > one.lastAt ? other : one),
    count: one.count + other.count,
    retrying: one.retrying + other.retrying,
  }
}

function kindOf({ name, message }: ErrorHead): ErrorHead {
  return { name, message: toPattern(message) }
}

/** Of a message that is read, and of a pattern. */
const longestRead = 2000
const longestPattern = 300

/** What differs from one failure to the next: each with what stands in its place. The order matters. */
const parts: readonly (readonly [RegExp, string | ((found: string) => string)])[] = [
  [/\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s"'`<>)\]]+/gi, '<url>'],
  [/[^\s"'`<>@()[\]]{1,64}@[a-z0-9.-]{1,200}[a-z0-9]/gi, '<address>'],
  [/"[^"\n]*"/g, '"…"'],
  [/`[^`\n]*`/g, '`…`'],
  // An apostrophe inside of a word is none.
  [/(?<![\p{L}\p{N}])'[^'\n]*'(?![\p{L}\p{N}])/gu, "'…'"],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<id>'],
  [/\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b/g, '<address>'],
  [/(?<![\p{L}\p{N}:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{1,4}(?![\p{L}\p{N}:])/giu, '<address>'],
  // Hexadecimal, and tokens of letters with digits: an id has both.
  [/\b[a-z0-9_-]{16,}\b/gi, (token) => (/\d/.test(token) ? '<id>' : token)],
  [/\b(?:0x)?(?=[a-f]*\d)[0-9a-f]{8,}\b/gi, '<id>'],
  [/\d+(?:[.,]\d+)*/g, '#'],
]

/** A message without what differs from one failure to the next: numbers, ids, quoted texts, addresses. */
export function toPattern(message: string): string {
  let text = message.slice(0, longestRead)
  for (const [part, instead] of parts)
    text = typeof instead === 'string' ? text.replace(part, instead) : text.replace(part, instead)
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length > longestPattern ? `${line.slice(0, longestPattern)}…` : line
}
