import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isMainThread } from 'node:worker_threads'
import { ConfigError } from '../errors.js'
import { howToLoadTypeScript } from '../task/discover.js'

/**
 * Makes this process load `.ts` files, for ESM and CommonJS: by the app's own `tsx`, else by Node where it strips types
 * itself.
 * @throws {ConfigError} when neither is there
 */
export async function enableTypeScript(root: string): Promise<void> {
  const loader = findLoader(root)
  if (loader !== undefined) await (isMainThread ? import(pathToFileURL(loader).href) : registerInThread(root))
  else if (!stripsTypes()) throw new ConfigError(`${root} has TypeScript files. ${howToLoadTypeScript}`)
}

/** What `tsx` does when it is imported it does in the main thread only. */
async function registerInThread(root: string): Promise<void> {
  const { resolve } = createRequire(join(root, 'package.json'))
  for (const name of ['tsx/cjs/api', 'tsx/esm/api']) {
    const { register } = (await import(pathToFileURL(resolve(name).replace(/cjs$/, 'mjs')).href)) as Tsx
    register()
  }
}

interface Tsx {
  register(): unknown
}

/** Whether {@link enableTypeScript} would succeed. */
export function canLoadTypeScript(root: string): boolean {
  return findLoader(root) !== undefined || stripsTypes()
}

/** What `node --import tsx` loads. It takes care of ESM and CommonJS, and imported again it does nothing. */
function findLoader(root: string): string | undefined {
  try {
    return createRequire(join(root, 'package.json')).resolve('tsx')
  } catch {
    return undefined
  }
}

/** From Node 22.18 on, and before by a flag. Newer than the typings of the oldest Node that we run on. */
function stripsTypes(): boolean {
  return 'typescript' in process.features && Boolean(process.features.typescript)
}
