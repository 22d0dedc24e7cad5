import { randomBytes } from 'node:crypto'
import type { Request, RequestHandler, Response } from 'express'
import { forbidden, fromOf } from './access.js'
import { type Refusal, send, sendRefusal } from './answer.js'
import { createApi } from './api/serve.js'
import { createBoard } from './board/board.js'
import type { Visit } from './board/visit.js'
import type { DashboardDeps } from './dashboard.js'
import { tellFailure, toRefusal } from './failure.js'
import { createGuard, type GuardSettings } from './guard.js'
import { setSecurityHeaders } from './headers.js'
import { createPages } from './pages.js'
import { crossSite, isSafe, isSameOrigin } from './same-origin.js'

/**
 * The dashboard: headers → guard → same-origin check → pages and their API. It holds wherever it is mounted, also in several places at
 * once and behind a proxy, because no address in it is absolute.
 */
export function createDashboard(deps: DashboardDeps): RequestHandler {
  const board = createBoard(deps)
  const pages = createPages()
  const guard = createGuard(deps.config, deps.log)
  const api = createApi(deps, guard)

  return function dashboard(req: Request, res: Response): void {
    const nonce = randomBytes(16).toString('base64url')
    answer(req, res, nonce).catch((error: unknown) => answerError(deps, error, req, res, nonce))
  }

  async function answer(req: Request, res: Response, nonce: string): Promise<void> {
    setSecurityHeaders(res, nonce)
    const visitor = await guard(req)
    if (!visitor) return sendRefusal(req, res, nonce, closed(deps.config))
    if (!isSafe(req.method) && !isSameOrigin(req)) return sendRefusal(req, res, nonce, crossSite)
    const [path = '/'] = req.url.split('?', 1)
    if (path.startsWith('/api/')) return api({ req, res, path: path.slice('/api'.length), visitor })
    if (!visitor.may('view')) return sendRefusal(req, res, nonce, forbidden(visitor, 'view'))
    if (path === '/' && !isFolder(req)) return redirect(res, here(req))
    if (path === '/board') return redirect(res, './board/')
    if (path === '/metrics') return showMetrics(res)
    if (!path.startsWith('/board/')) {
      if (isSafe(req.method) && (await pages.show(req, res, path, nonce))) return
      return sendRefusal(req, res, nonce, unknownAddress)
    }
    await showBoard(req, res, {
      nonce,
      visitor,
      from: fromOf(req),
      statusBase: statusBase(deps.config, req.baseUrl),
    })
  }

  async function showMetrics(res: Response): Promise<void> {
    const { contentType, body } = await deps.metrics()
    res.setHeader('Cache-Control', 'no-store')
    send(res, { status: 200, type: contentType, body })
  }

  async function showBoard(req: Request, res: Response, visit: Visit): Promise<void> {
    const { url } = req
    const { nonce } = visit
    req.url = url.slice('/board'.length)
    await board(req, res, visit, (error?: unknown) => {
      req.url = url
      if (error) answerError(deps, error, req, res, nonce)
      else sendRefusal(req, res, nonce, unknownAddress)
    })
  }
}

/** What pages ask for is relative to the mount, so the mount must be asked for as a folder. */
function isFolder(req: Request): boolean {
  return pathOf(req).endsWith('/')
}

/** The mount as a folder, relative to the address that the browser asked for. */
function here(req: Request): string {
  const path = pathOf(req)
  return `./${path.slice(path.lastIndexOf('/') + 1)}/`
}

function pathOf(req: Request): string {
  return req.originalUrl.split('?', 1)[0] ?? '/'
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
  if (authorize) return { ...refusal, message: `You may not see this dashboard. ${askFor}` }
  const where = isProduction ? 'In production the' : 'From another machine, or through a proxy, the'
  return {
    ...refusal,
    message: `${where} dashboard is closed until the app says who may see it:`,
    example: "celeriac({ authorize: (req) => (req.user?.isAdmin ? 'admin' : false) })",
  }
}

const askFor =
  'Ask whoever runs this app for the role "viewer", to look, "operator", to act on jobs and queues, or "admin". If you have another account, log in with that one.'

const unknownAddress: Refusal = {
  status: 404,
  code: 'NOT_FOUND',
  message: 'The dashboard has no such page.',
}

/** What went wrong names servers, tables and files, which is for the log. */
function answerError(
  { log }: DashboardDeps,
  error: unknown,
  req: Request,
  res: Response,
  nonce: string,
): void {
  const refusal = toRefusal(error)
  tellFailure(log, refusal, error, `${req.method} ${JSON.stringify(req.path)}`)
  if (res.headersSent) res.destroy()
  else sendRefusal(req, res, nonce, refusal)
}
