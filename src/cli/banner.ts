import { version } from '../version.js'

export interface BannerFacts {
  readonly worker: string
  readonly config: string | undefined
  readonly broker: string
  readonly store: string
  readonly concurrency: number
  readonly queues: readonly string[]
  readonly tasks: readonly string[]
}

/** What a worker says of itself when it starts on a terminal, as Celery does. */
export function banner(facts: BannerFacts): string {
  const lines: [string, string][] = [
    ['app', facts.config ?? 'no config file'],
    ['broker', facts.broker],
    ['store', facts.store],
    ['concurrency', String(facts.concurrency)],
    ['queues', facts.queues.join(', ')],
  ]
  const table = lines.map(([name, value], at) => {
    const corner = at === 0 ? '┌' : at === lines.length - 1 ? '└' : '├'
    return `  ${corner} ${name.padEnd(12)} ${value}`
  })
  const tasks = facts.tasks.length === 0 ? ['  (none)'] : facts.tasks.map((task) => `  · ${task}`)
  return ['', `celeriac ${version}  ${facts.worker}`, '', ...table, '', 'tasks', ...tasks, '', ''].join('\n')
}
