import type { NextFunction, Request, RequestHandler, Response } from 'express'

/**
 * Hands a request at or below `prefix` to `handler`, as `app.use(prefix, handler)` would; every other goes to `next`.
 *
 * A router of Express would do the same, and would look at every request of the app for it.
 */
export function passBelow(
  prefix: string,
  handler: RequestHandler,
  req: Request,
  res: Response,
  next: NextFunction,
): void {
  if (isBelow(req.path, prefix)) enter(prefix, handler, req, res, next)
  else next()
}

function enter(
  prefix: string,
  handler: RequestHandler,
  req: Request,
  res: Response,
  next: NextFunction,
): void {
  const { url, baseUrl } = req
  const rest = url.slice(url.indexOf(prefix) + prefix.length)
  req.baseUrl = baseUrl + prefix
  req.url = rest.startsWith('/') ? rest : `/${rest}`
  handler(req, res, (error?: unknown) => {
    req.url = url
    req.baseUrl = baseUrl
    next(error)
  })
}

function isBelow(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/')
}
