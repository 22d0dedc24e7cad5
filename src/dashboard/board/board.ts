import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { type Refusal, sendRefusal } from '../answer.js'
import type { DashboardDeps } from '../dashboard.js'
import { createActions } from './actions.js'
import { adaptTo } from './handler.js'
import { loadBullBoard } from './load.js'
import { toQueueMaker } from './queue.js'
import { createReadings } from './readings.js'
import { createBoardServer } from './server.js'
import { runVisit, type Visit } from './visit.js'

/** Answers a request at an address below its own; calls `next` when there is nothing, or with what went wrong. */
export type Board = (req: Request, res: Response, visit: Visit, next: NextFunction) => Promise<void>

/**
 * bull-board over our own store: its pages, and its server for Express, with the routes that we offer of it. None of them
 * sees a queue of BullMQ.
 *
 * It is loaded at the first request, so that no start waits for it.
 */
export function createBoard(deps: DashboardDeps): Board {
  let loading: Promise<RequestHandler | undefined> | undefined

  return async (req, res, visit, next) => {
    loading ??= load(deps).catch(reportMissing)
    const serve = await loading
    if (!serve) return sendRefusal(req, res, visit.nonce, missing)
    takeQueryFromUrl(req)
    runVisit(visit, () => serve(req, res, next))
  }

  function reportMissing(error: unknown): undefined {
    deps.log.error(`The board cannot be loaded: ${error instanceof Error ? error.message : String(error)}`)
  }
}

async function load(deps: DashboardDeps): Promise<RequestHandler> {
  const bullBoard = await loadBullBoard()
  const readings = createReadings(deps)
  const adapt = adaptTo(readings, createActions(deps, readings), toQueueMaker(bullBoard.BaseAdapter))
  return createBoardServer(bullBoard, adapt)
}

/** Apps may have their queries parsed in any way, or not at all. */
function takeQueryFromUrl(req: Request): void {
  const [, query = ''] = req.url.split('?', 2)
  const value = Object.fromEntries(new URLSearchParams(query))
  Object.defineProperty(req, 'query', { value, writable: true, enumerable: true, configurable: true })
}

const missing: Refusal = {
  status: 501,
  code: 'BOARD_MISSING',
  message:
    'The board cannot be shown: its packages, @bull-board/api, @bull-board/express and @bull-board/ui, are not found from here. In a bundle, leave them out of it and install them beside it.',
}
