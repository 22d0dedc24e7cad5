import type { ErrorRequestHandler } from 'express'
import { type Problem, problem, sendProblem, toProblem } from './problem.js'

/**
 * An error handler for an app that wants problem+json for all of it: our errors in hand-written routes, and those of a
 * body parser that the app put in front. Everything else goes on to the app's own error handlers.
 */
export function createProblems(): ErrorRequestHandler {
  return function problems(error: unknown, _req, res, next) {
    const told = res.headersSent ? undefined : (toProblem(error) ?? parserProblem(error))
    if (told) sendProblem(res, told)
    else next(error)
  }
}

function parserProblem(error: unknown): Problem | undefined {
  if (!(error instanceof Error) || !('type' in error)) return undefined
  const code = typeof error.type === 'string' ? parserCodes.get(error.type) : undefined
  return code === undefined ? undefined : problem(code, error.message)
}

/** What body-parser, which is `express.json()` and its kin, calls its errors. */
const parserCodes: ReadonlyMap<string, string> = new Map([
  ['entity.parse.failed', 'BODY_NOT_JSON'],
  ['request.size.invalid', 'BODY_NOT_JSON'],
  ['entity.too.large', 'PAYLOAD_TOO_LARGE'],
  ['parameters.too.many', 'PAYLOAD_TOO_LARGE'],
  ['charset.unsupported', 'MEDIA_TYPE'],
  ['encoding.unsupported', 'MEDIA_TYPE'],
])
