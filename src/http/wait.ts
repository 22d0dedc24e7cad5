import type { Request, Response } from 'express'
import type { HttpDeps } from './http.js'
import { type Problem, problem } from './problem.js'

/** How long an answer may be held back until the job ends. */
export interface Wait {
  readonly ms: number
  /** What to say in `Preference-Applied`, when it was `Prefer` that asked. */
  readonly applied?: string
}

/** Longer waits are cut: proxies give up on a silent answer after about a minute. */
const longestSeconds = 60

/** What `?wait=20` says, else what `Prefer: wait=20` says. */
export function readWait(req: Request): Wait | Problem {
  return waitOfQuery(req.url) ?? readPreferredWait(req)
}

/** What `Prefer: wait=20` says. A preference that cannot be read is none, as RFC 7240 has it. */
export function readPreferredWait(req: Request): Wait {
  const header = req.headers.prefer
  const seconds = header === undefined ? undefined : preferredSeconds([header].flat().join(','))
  if (seconds === undefined) return { ms: 0 }
  const capped = Math.min(seconds, longestSeconds)
  return { ms: capped * 1000, applied: `wait=${capped}` }
}

/** Whether nobody waits for an answer any more: the client went away, or a time-out of the app answered meanwhile. */
export function isAnswered(res: Response): boolean {
  return res.destroyed || res.headersSent
}

/** Waits for a job's end, and no longer than somebody listens. */
export async function holdUntilEnd(jobs: HttpDeps, res: Response, id: string, ms: number): Promise<void> {
  if (res.destroyed) return
  const gone = new AbortController()
  const abort = () => gone.abort()
  res.once('close', abort)
  try {
    await jobs.waitForEnd(id, ms, gone.signal)
  } finally {
    res.off('close', abort)
  }
}

// The query is read here and not from `req.query`, whose parser is the app's choice and may give objects.
function waitOfQuery(url: string): Wait | Problem | undefined {
  const at = url.indexOf('?')
  if (at === -1) return undefined
  const values = new URLSearchParams(url.slice(at)).getAll('wait')
  if (values.length === 0) return undefined
  const seconds = values.length === 1 ? toSeconds(values[0]) : undefined
  if (seconds === undefined)
    return problem('BAD_REQUEST', 'wait takes one whole number of seconds, as in ?wait=20.')
  return { ms: Math.min(seconds, longestSeconds) * 1000 }
}

function preferredSeconds(header: string): number | undefined {
  for (const preference of header.split(/[,;]/)) {
    const [name, value] = preference.split('=')
    if (name?.trim().toLowerCase() === 'wait') return toSeconds(value?.trim().replace(/^"(.*)"$/, '$1'))
  }
  return undefined
}

function toSeconds(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined
}
