import type { TaskSummary } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'

/** What is odd about a task, in a word, and what that means. */
export interface Standing {
  readonly word: 'nobody runs it' | 'not here' | 'gone'
  readonly tone: 'warning' | 'info' | 'danger'
  readonly means: string
}

const nobody: Standing = {
  word: 'nobody runs it',
  tone: 'warning',
  means: 'No live worker has this task: its jobs wait until one that has its code starts.',
}
const notHere: Standing = {
  word: 'not here',
  tone: 'info',
  means: 'This process has no code of it; workers have, and say what is shown of it.',
}
const gone: Standing = {
  word: 'gone',
  tone: 'danger',
  means:
    'Neither this process nor a worker has its code: it was renamed or taken out, or its workers have not run lately. Name it in the "aliases" of another task, and its jobs run again.',
}

/** `undefined`: all is as it should be. */
export function standingOf({
  isKnownHere,
  workers,
  queue,
}: Pick<Json<TaskSummary>, 'isKnownHere' | 'workers' | 'queue'>): Standing | undefined {
  if (workers.length > 0) return isKnownHere ? undefined : notHere
  // A worker that has gone has said what its tasks are.
  return isKnownHere || queue !== null ? nobody : gone
}

/** The end of a file's path, which tells it from others: `modules/mail/tasks.ts`. */
export function tellSource(source: string): string {
  return source
    .split(/[\\/]/)
    .filter((part) => part !== '')
    .slice(-3)
    .join('/')
}

/** `billing.invoices` of `billing.invoices.send`; empty where a name has no module. */
export function moduleOf(name: string): string {
  const at = name.lastIndexOf('.')
  return at === -1 ? '' : name.slice(0, at)
}
