/**
 * Where our actions mean something else than bull-board's own, the English texts of the pages say so. In the other
 * languages that it brings, an action keeps the name that it has there.
 */
const english: Readonly<Record<string, string>> = {
  'JOB.ACTIONS.CLEAN': 'Cancel job',
  'JOB.ACTIONS.PROMOTE': 'Run now',
  'JOB.ACTIONS.CONFIRM.CLEAN': 'This job will be cancelled, and never start.',
  'JOB.ACTIONS.CONFIRM.PROMOTE': 'Run this job now, without waiting for its time?',
  'JOB.NO_LOGS': 'Logs of jobs are not kept. They are in the log of the worker.',
  'QUEUE.ACTIONS.CONFIRM.RETRY_ALL': 'Retry all that failed? Cancelled and expired jobs stay as they are.',
  'CONFIRM.CANCEL_BTN': 'Back',
  'QUEUE.WORKERS.EMPTY_HINT': 'Start one: npx celeriac worker',
}

export function isEnglish(language: string): boolean {
  return /^en-\w+$/.test(language)
}

export function toOurMessages(text: string): string {
  const messages: unknown = JSON.parse(text)
  for (const [key, ours] of Object.entries(english)) replace(messages, key.split('.'), ours)
  return JSON.stringify(messages)
}

function replace(within: unknown, [key = '', ...rest]: readonly string[], text: string): void {
  if (typeof within !== 'object' || within === null || !(key in within)) return
  const fields = within as Record<string, unknown>
  if (rest.length > 0) replace(fields[key], rest, text)
  else fields[key] = text
}
