/**
 * The texts of the pages, in the languages that bull-board brings. Where our actions mean something else than its own,
 * the English ones say so; in all languages, what the board does not offer gets the name {@link notOffered}, by which the
 * page's own script finds and hides it.
 */
export const notOffered = '-not-offered-'

const hidden = [
  'JOB.ACTIONS.UPDATE_DATA',
  'JOB.ACTIONS.DUPLICATE',
  'JOB.ACTIONS.RESCHEDULE',
  'JOB.ACTIONS.REPRIORITISE',
  'JOB.ACTIONS.REMOVE_UNPROCESSED_CHILDREN',
  'QUEUE.ACTIONS.ADD_JOB',
  'QUEUE.ACTIONS.EMPTY',
  'QUEUE.ACTIONS.OBLITERATE',
  'QUEUE.ACTIONS.SET_CONCURRENCY',
  'QUEUE.ACTIONS.PROMOTE_ALL',
  'QUEUE.ACTIONS.CLEAN_ALL',
]

const english: Readonly<Record<string, string>> = {
  'JOB.ACTIONS.CLEAN': 'Cancel',
  'JOB.ACTIONS.PROMOTE': 'Run now',
  'JOB.ACTIONS.CONFIRM.CLEAN': 'Cancel this job? It will not start.',
  'JOB.ACTIONS.CONFIRM.PROMOTE': 'Run this job now, without waiting for its time?',
  'JOB.NO_LOGS': 'Logs of jobs are not kept. They are in the log of the worker.',
  'QUEUE.ACTIONS.CONFIRM.RETRY_ALL': 'Retry all that failed? Cancelled and expired jobs stay as they are.',
  'QUEUE.WORKERS.EMPTY_HINT': 'Start one: npx celeriac worker',
}

export function isMessages(path: string): boolean {
  return /^\/static\/locales\/[\w-]+\/messages\.json$/.test(path)
}

export function toOurMessages(path: string, text: string): string {
  const messages: unknown = JSON.parse(text)
  for (const key of hidden) replace(messages, key.split('.'), notOffered)
  if (path.includes('/en-'))
    for (const [key, ours] of Object.entries(english)) replace(messages, key.split('.'), ours)
  return JSON.stringify(messages)
}

function replace(within: unknown, [key = '', ...rest]: readonly string[], text: string): void {
  if (typeof within !== 'object' || within === null || !(key in within)) return
  const fields = within as Record<string, unknown>
  if (rest.length > 0) replace(fields[key], rest, text)
  else fields[key] = text
}
