import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { AppControllerRoute, IServerAdapter, UIConfig } from '@bull-board/api/dist/types.js'
import { type MakeQueue, toQueueMaker } from './queue.js'

/** What is used of bull-board: its routes with the functions behind them, its settings for the pages, its files. */
export interface BullBoard {
  readonly routes: readonly AppControllerRoute[]
  readonly uiConfig: UIConfig
  /** Where its pages, scripts and styles are. */
  readonly uiFolder: string
  readonly createQueue: MakeQueue
}

const uiSettings: UIConfig = {
  boardTitle: 'Celeriac',
  hideDocsLink: true,
  hideRedisDetails: true,
  showMetrics: false,
}

/** @throws what Node throws when a package is not there, as in a bundle */
export async function loadBullBoard(): Promise<BullBoard> {
  // A bundle in CommonJS knows no address of its own: there the packages are sought from the app's folder.
  const require = createRequire(import.meta.url ?? join(process.cwd(), 'bundle.cjs'))
  const uiBasePath = dirname(require.resolve('@bull-board/ui/package.json'))
  const [{ createBullBoard }, { BaseAdapter }] = await Promise.all([
    import('@bull-board/api'),
    import('@bull-board/api/dist/queueAdapters/base.js'),
  ])
  const collected = collectParts()
  createBullBoard({
    queues: [],
    serverAdapter: collected.adapter,
    options: { uiBasePath, uiConfig: uiSettings },
  })
  return { ...collected.parts(), uiFolder: join(uiBasePath, 'dist'), createQueue: toQueueMaker(BaseAdapter) }
}

/** Where bull-board thinks it hands its parts to a server. Ours asks for each by itself. */
function collectParts() {
  let routes: readonly AppControllerRoute[] = []
  let uiConfig: UIConfig = {}
  const adapter: IServerAdapter = {
    setApiRoutes(given) {
      routes = given
      return adapter
    },
    setUIConfig(given) {
      uiConfig = given
      return adapter
    },
    setQueues: () => adapter,
    setViewsPath: () => adapter,
    setStaticPath: () => adapter,
    setEntryRoute: () => adapter,
    setErrorHandler: () => adapter,
  }
  return { adapter, parts: () => ({ routes, uiConfig }) }
}
