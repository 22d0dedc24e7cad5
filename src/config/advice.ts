import { dirname, relative } from 'node:path'
import { shellWord } from '../job/shell-word.js'
import type { Config } from './resolve.js'

/**
 * How to have a queue served, as somebody would type it in the folder that this process runs in.
 *
 * @param others names of workers that live, and do not serve it
 */
export function workerAdvice(
  config: Pick<Config, 'file' | 'folder'>,
  queue: string,
  others: readonly string[] = [],
): string {
  const app = appOf(config)
  const [other] = others
  return [
    ...toStart(config, `npx celeriac worker${app} -Q ${shellWord(queue)}`),
    ...(other === undefined ? [] : [toTell(queue, other, app)]),
  ].join('. ')
}

/** Without a file the command line knows nothing of the options. */
function toStart({ file }: Pick<Config, 'file'>, command: string): string[] {
  if (file !== undefined) return [`Run: ${command}`]
  return [
    'Say { worker: true } to run one in this process, which serves the default queue and those that tasks name',
    `Or move the options to a celeriac.config.ts, and run: ${command}`,
  ]
}

function toTell(queue: string, worker: string, app: string): string {
  const words = [shellWord(queue), '-d', shellWord(worker)]
  return `Or let a worker that runs serve it too, on its page or by: npx celeriac control queue-add${app} ${words.join(' ')}`
}

function appOf({ file, folder }: Pick<Config, 'file' | 'folder'>): string {
  const isFoundByItself = file === undefined || dirname(file) === folder
  return isFoundByItself ? '' : ` -A ${shellWord(relative(folder, file))}`
}
