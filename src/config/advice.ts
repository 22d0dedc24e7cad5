import { dirname, relative } from 'node:path'
import type { Config } from './resolve.js'

/** How to start a worker for a queue, as somebody would type it in the folder that this process runs in. */
export function workerAdvice({ file, folder }: Pick<Config, 'file' | 'folder'>, queue: string): string {
  if (file === undefined) {
    return 'Say { worker: true } to run one in this process; or move the options to a celeriac.config.ts, and run: npx celeriac worker'
  }
  const isFoundByItself = dirname(file) === folder
  const app = isFoundByItself ? '' : ` -A ${relative(folder, file)}`
  return `Run: npx celeriac worker${app} -Q ${queue}`
}
