import { randomBytes } from 'node:crypto'
import type { Request, RequestHandler, Response } from 'express'
import { CeleriacError } from '../errors.js'
import { type Refusal, send, sendRefusal } from './answer.js'
import { createBoard } from './board/board.js'
import type { DashboardDeps } from './dashboard.js'
import { type GuardSettings, isAllowed } from './guard.js'
import { setSecurityHeaders } from './headers.js'
import { isSafe, isSameOrigin } from './same-origin.js'

/**
 * The dashboard: headers → guard → same-origin check → pages. It holds wherever it is mounted, also in several places at
 * once and behind a proxy, because no address in it is absolute.
 */
export function createDashboard(deps: DashboardDeps): RequestHandler {
  const board = createBoard(deps)

  return function dashboard(req: Request, res: Response): void {
    answer(req, res).catch((error: unknown) => answerError(deps, error, req, res))
  }

  async function answer(req: Request, res: Response): Promise<void> {
    const nonce = randomBytes(16).toString('base64url')
    setSecurityHeaders(res, nonce)
    if (!(await isAllowed(deps.config, req))) return sendRefusal(req, res, closed(deps.config))
    if (!isSafe(req.method) && !isSameOrigin(req)) return sendRefusal(req, res, crossSite)
    const [path = '/', query = ''] = req.url.split('?', 2)
    if (path === '/') return redirect(res, `${here(req)}board/`)
    if (path === '/board') return redirect(res, './board/')
    const answered = path.startsWith('/board/')
      ? await board.answer({
          method: req.method === 'HEAD' ? 'GET' : req.method,
          path: path.slice('/board'.length),
          query: new URLSearchParams(query),
          statusBase: statusBase(deps.config, req.baseUrl),
          nonce,
        })
      : undefined
    if (answered && 'body' in answered) send(res, answered)
    else sendRefusal(req, res, answered ?? unknownAddress)
  }
}

/** The mount itself, relative to the address that the browser asked for, with or without a slash at its end. */
function here(req: Request): string {
  const path = req.originalUrl.split('?', 1)[0] ?? '/'
  return path.endsWith('/') ? './' : `./${path.slice(path.lastIndexOf('/') + 1)}/`
}

function redirect(res: Response, to: string): void {
  res.writeHead(302, { Location: to, 'Content-Length': 0 }).end()
}

/**
 * Where the status of a job is, relative to the board. Below the middleware that is two steps up; where the app itself
 * has mounted the dashboard, only the app can say.
 */
function statusBase({ path, publicPath }: DashboardDeps['config'], mount: string): string | undefined {
  return mount.endsWith(`${path}/dashboard`) ? '../..' : publicPath
}

function closed({ authorize, isProduction }: GuardSettings): Refusal {
  const refusal = { status: 403, code: 'DASHBOARD_CLOSED' }
  if (authorize) return { ...refusal, message: 'You may not see this dashboard.' }
  const where = isProduction ? 'In production the' : 'From another machine, or through a proxy, the'
  return {
    ...refusal,
    message: `${where} dashboard is closed until the app says who may see it:`,
    example: 'celeriac({ authorize: (req) => req.user?.isAdmin })',
  }
}

const crossSite: Refusal = {
  status: 403,
  code: 'CROSS_SITE',
  message: 'This request changes something, and did not come from a page of this dashboard.',
}

const unknownAddress: Refusal = {
  status: 404,
  code: 'NOT_FOUND',
  message: 'The dashboard has no such page.',
}

const later: Refusal = {
  status: 503,
  code: 'UNAVAILABLE',
  message: 'The store or the broker cannot be reached right now. The log of the app says more. Try again.',
}

const broken: Refusal = {
  status: 500,
  code: 'FAILED',
  message: 'The dashboard could not answer. The log of the app says more.',
}

/** What went wrong names servers, tables and files, which is for the log. */
function answerError({ log }: DashboardDeps, error: unknown, req: Request, res: Response): void {
  const message = error instanceof Error ? error.message : String(error)
  log.error(`The dashboard could not answer ${req.method} ${JSON.stringify(req.path)}: ${message}`)
  if (res.headersSent) res.destroy()
  else sendRefusal(req, res, error instanceof CeleriacError ? later : broken)
}
