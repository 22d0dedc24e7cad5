import { AsyncLocalStorage } from 'node:async_hooks'
import { relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { DiscoveryError } from '../errors.js'
import { toPath } from './caller.js'
import { findImportChain } from './import-chain.js'

interface Discovering {
  /** The tasks file that is being loaded. */
  readonly file: string
  readonly root: string
  /** What the file left behind (timers, listeners) keeps this context; by then it means nothing. */
  isOver: boolean
}

// It holds nothing itself: it only tells code that runs during an import of ours from code that does not.
const discovering = new AsyncLocalStorage<Discovering>()

/** Imports a tasks file, so that {@link assertNotDiscovering} notices a `celeriac()` that its imports lead to. */
export async function importTasksFile(file: string, root: string): Promise<object> {
  const context: Discovering = { file, root, isOver: false }
  try {
    return await discovering.run(context, () => import(pathToFileURL(file).href))
  } finally {
    context.isOver = true
  }
}

/**
 * Refuses to open an app while tasks files are loaded by another: a worker would start the web server.
 * @param caller URL of the file that calls `celeriac()`
 * @throws {DiscoveryError} with the chain of imports that led there
 */
export function assertNotDiscovering(caller: string | undefined): void {
  const context = discovering.getStore()
  if (!context || context.isOver) return
  const { file, root } = context
  const chain = (caller && findImportChain(file, toPath(caller))) || [
    file,
    '…',
    ...(caller ? [toPath(caller)] : []),
  ]
  const steps = chain.map((step) => (step === '…' ? step : relative(root, step)))
  throw new DiscoveryError(
    `Loading tasks led to a celeriac() call: ${steps.join(' → ')} → celeriac(). A worker loads tasks without the web app, so tasks must not import the file that calls celeriac(). Move what they need from it into a file of its own.`,
    { file },
  )
}
