import type { AppControllerRoute, AppViewRoute, UIConfig } from '@bull-board/api/dist/types.js'
import type { RequestHandler } from 'express'
import { type DashboardAction, forbidden } from '../access.js'
import { htmlType, json, send, sendProblem } from '../answer.js'
import { filesOnly, serveMessages } from './files.js'
import { type Adapt, notDone } from './handler.js'
import type { BullBoard } from './load.js'
import { actionOf, eachRoute, pages } from './offered.js'
import { baseOf, toOurPage } from './page.js'
import { currentVisit } from './visit.js'

const uiConfig: UIConfig = {
  boardTitle: 'Celeriac',
  hideDocsLink: true,
  hideRedisDetails: true,
  showMetrics: false,
}

/** bull-board's own server for Express, which serves what we offer of it, in our way. */
export function createBoardServer(
  { createBullBoard, ExpressAdapter, uiBasePath }: BullBoard,
  adapt: Adapt,
): RequestHandler {
  class BoardServer extends ExpressAdapter {
    constructor() {
      super()
      // A page has its base from the number of steps in its address, so there is but one way to write each.
      for (const setting of ['strict routing', 'case sensitive routing', 'view cache'])
        this.app.enable(setting)
    }

    override setStaticPath(route: string, folder: string) {
      this.app.use(route, filesOnly)
      this.app.get(`${route}/locales/:language/messages.json`, serveMessages(folder))
      return super.setStaticPath(route, folder)
    }

    override setEntryRoute({ handler }: AppViewRoute) {
      this.app.get(pages, (req, res, next) => {
        const { name, params } = handler({ basePath: baseOf(req.path), uiConfig: this.uiConfig })
        const { nonce } = currentVisit()
        // `res.render` would mix in what the host app keeps in `res.locals`, and ejs takes options of its own from there.
        this.app.render(name, params, (error, html) =>
          error ? next(error) : send(res, { status: 200, type: htmlType, body: toOurPage(html, nonce) }),
        )
      })
      return this
    }

    /** Its own would show the message of whatever went wrong. */
    override setErrorHandler() {
      return super.setErrorHandler((error) => {
        throw error
      })
    }

    /** Refusals come first, so that no body is read for them. */
    override setApiRoutes(routes: AppControllerRoute[]) {
      const all = eachRoute(routes)
      for (const each of all) this.app[each.method](each.route, allow(actionOf(each)))
      return super.setApiRoutes(all.filter((each) => actionOf(each) !== undefined).map(adapt))
    }

    /**
     * Without the app around it, which would put its own prototypes under the request: what the host app knows of a
     * request, such as `req.ip`, would be lost on whoever logs it at its end.
     */
    get handler(): RequestHandler {
      return this.app.router
    }
  }

  const serverAdapter = new BoardServer()
  createBullBoard({ queues: [], serverAdapter, options: { uiBasePath, uiConfig } })
  return serverAdapter.handler
}

function allow(action: DashboardAction | undefined): RequestHandler {
  if (action === undefined) return refuse
  return (_req, res, next) => {
    const { visitor } = currentVisit()
    if (visitor.may(action)) next()
    else sendProblem(res, forbidden(visitor, action))
  }
}

const refuse: RequestHandler = (_req, res) => send(res, json(403, notDone('The board does not offer this.')))
