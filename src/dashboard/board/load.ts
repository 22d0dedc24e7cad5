import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** What is used of bull-board. */
export type BullBoard = Awaited<ReturnType<typeof loadBullBoard>>

/** @throws what Node throws when a package is not there, as in a bundle */
export async function loadBullBoard() {
  // A bundle in CommonJS knows no address of its own: there the packages are sought from the app's folder.
  const require = createRequire(import.meta.url ?? join(process.cwd(), 'bundle.cjs'))
  const uiBasePath = dirname(require.resolve('@bull-board/ui/package.json'))
  const [{ createBullBoard }, { BaseAdapter }, { ExpressAdapter }] = await Promise.all([
    import('@bull-board/api'),
    import('@bull-board/api/dist/queueAdapters/base.js'),
    import('@bull-board/express'),
  ])
  return { createBullBoard, BaseAdapter, ExpressAdapter, uiBasePath }
}
