import { checkQueue, wrong } from '../task/check.js'

export interface Routes {
  /** As it was given: all processes should have the same. */
  readonly table: Readonly<Record<string, string>>
  /** The queue of a task by its name; `undefined` where no route fits. */
  queueOf(task: string): string | undefined
}

export const noRoutes: Routes = Object.freeze({ table: {}, queueOf: () => undefined })

interface Pattern {
  readonly fits: RegExp
  /** Characters that it names. */
  readonly named: number
  readonly queue: string
}

/** A name goes before patterns; of these the most specific counts, and of equals the first. */
export function checkRoutes(value: unknown, where: string): Routes {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw wrong(where, "an object of queues by task names, such as { 'media.*': 'heavy' }", value)
  const routes = Object.entries(value).map(
    ([pattern, queue]) => [pattern, checkQueue(queue, `${where}["${pattern}"]`)] as const,
  )
  const names = new Map(routes.filter(([pattern]) => !pattern.includes('*')))
  const patterns = routes
    .filter(([pattern]) => pattern.includes('*'))
    .map(toPattern)
    .sort((a, b) => b.named - a.named)
  return {
    table: Object.fromEntries(routes),
    queueOf: (task) => names.get(task) ?? patterns.find(({ fits }) => fits.test(task))?.queue,
  }
}

function toPattern([pattern, queue]: readonly [string, string]): Pattern {
  const parts = pattern.split('*')
  const fits = new RegExp(`^${parts.map(literally).join('.*')}$`, 's')
  return { fits, named: parts.join('').length, queue }
}

function literally(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
