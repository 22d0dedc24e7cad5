import type { BullBoardQueues } from '@bull-board/api/dist/types.js'
import { type Answer, json, type Refusal } from '../answer.js'
import type { DashboardDeps } from '../dashboard.js'
import { ActionRefused, type Actions, createActions } from './actions.js'
import { createFiles, type Files } from './files.js'
import { type BullBoard, loadBullBoard } from './load.js'
import { createPage, type Page } from './page.js'
import { createReadings } from './readings.js'
import { isPage, type Match, matchRoute } from './route.js'

/** One request below the board's address. */
export interface BoardRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  /** Where the status of a job is, without the id; `undefined` when nobody knows. */
  readonly statusBase: string | undefined
  readonly nonce: string
}

export interface Board {
  /** `undefined`: there is nothing at this address. */
  answer(request: BoardRequest): Promise<Answer | Refusal | undefined>
}

interface Loaded {
  readonly bullBoard: BullBoard
  readonly page: Page
  readonly files: Files
}

/**
 * bull-board over our own store. Its pages and the functions behind its routes are its own; what serves them is here, so
 * that no route of it is reached that is not in our table, and none sees a queue of BullMQ.
 *
 * It is loaded at the first request, so that no start waits for it.
 */
export function createBoard(deps: DashboardDeps): Board {
  const readings = createReadings(deps)
  const actions = createActions(deps, readings)
  const instead = ourRoutes(actions)
  let loading: Promise<Loaded | undefined> | undefined

  return {
    async answer(request) {
      loading ??= load().catch(reportMissing)
      const loaded = await loading
      return loaded ? answer(loaded, request) : missing
    },
  }

  async function answer({ bullBoard, page, files }: Loaded, request: BoardRequest) {
    const match = matchRoute(bullBoard.routes, request.method, request.path)
    if (match) return answerRoute(bullBoard, match, request)
    if (request.method !== 'GET') return undefined
    return isPage(request.path) ? page(request) : files(request.path)
  }

  async function answerRoute(bullBoard: BullBoard, match: Match, request: BoardRequest): Promise<Answer> {
    if (!match.isOffered) return notDone(403, 'The board does not offer this.')
    try {
      const ours = instead[match.key]
      return ours ? json(200, await ours(match.params)) : await runRoute(bullBoard, match, request)
    } catch (error) {
      if (error instanceof ActionRefused) return notDone(409, error.message)
      throw error
    }
  }

  async function runRoute(
    { uiConfig, createQueue }: BullBoard,
    { route, params }: Match,
    { query, statusBase }: BoardRequest,
  ): Promise<Answer> {
    const queues: BullBoardQueues = new Map()
    for (const reading of await readings.queues(params.queueName))
      queues.set(reading.name, createQueue({ reading, actions, statusBase }))
    const { status, body } = await route.handler({
      queues,
      uiConfig,
      query: Object.fromEntries(query),
      params,
      body: {},
      headers: {},
    })
    return json(status ?? 200, body)
  }

  function reportMissing(error: unknown): undefined {
    deps.log.error(`The board cannot be loaded: ${error instanceof Error ? error.message : String(error)}`)
  }
}

async function load(): Promise<Loaded> {
  const bullBoard = await loadBullBoard()
  const [page, files] = await Promise.all([createPage(bullBoard), createFiles(bullBoard.uiFolder)])
  return { bullBoard, page, files }
}

type Params = Readonly<Record<string, string>>

/** Routes whose own function would ask BullMQ, or would do more than people mean. */
function ourRoutes(actions: Actions): Readonly<Record<string, (params: Params) => Promise<unknown>>> {
  return {
    async 'put /api/queues/:queueName/retry/:queueStatus'({ queueName = '', queueStatus }) {
      if (queueStatus !== 'failed') throw new ActionRefused('Only failed jobs are retried.')
      return actions.retryFailed(queueName)
    },
    async 'get /api/queues/:queueName/:jobId/flow'({ jobId }) {
      return { nodeId: jobId, flowRoot: null, isFlowNode: false }
    },
  }
}

/** In the form in which bull-board's pages show an error. */
function notDone(status: number, message: string): Answer {
  return json(status, { error: 'Not done', message })
}

const missing: Refusal = {
  status: 501,
  code: 'BOARD_MISSING',
  message:
    'The board cannot be shown: its packages, @bull-board/api and @bull-board/ui, are not found from here. In a bundle, leave them out of it and install them beside it.',
}
