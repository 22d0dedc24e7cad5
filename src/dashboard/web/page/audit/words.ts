import type { AskedOne, AuditLine } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'
import { tellCount } from '../../ui/format.js'
import { isAskedOfWorkers } from './tell.js'

/** Where from somebody asked, in words: `over HTTP, 10.0.0.7`. */
export function tellFrom(from: string): string {
  const [way = '', ...rest] = from.split(' ')
  const known = Object.hasOwn(ways, way) ? ways[way] : undefined
  return [known ?? way, ...rest].join(known && rest.length > 0 ? ', ' : ' ')
}

const ways: Readonly<Record<string, string>> = {
  code: 'the app’s code',
  cli: 'command line',
  http: 'over HTTP',
  board: 'bull-board',
}

/** Of which kind a line's way is, for the filter. */
export const fromChoices = [
  { value: '', label: 'Anywhere' },
  { value: 'http', label: 'Over HTTP' },
  { value: 'cli', label: 'Command line' },
  { value: 'code', label: 'The app’s code' },
] as const

export const sinceChoices = [
  { value: '', label: 'Any time' },
  { value: '1h', label: 'Last hour' },
  { value: '24h', label: 'Last 24 hours' },
  { value: '7d', label: 'Last 7 days' },
  { value: '30d', label: 'Last 30 days' },
] as const

/** How many workers came to what: `2 replied, 1 silent`. */
export function tellWorkers(workers: readonly Pick<Json<AskedOne>, 'came'>[]): string {
  const said = (['replied', 'refused', 'silent', 'asked'] as const).flatMap((came) => {
    const count = workers.filter((worker) => worker.came === came).length
    return count === 0 ? [] : [`${tellCount(count)} ${came === 'asked' ? 'asked' : came}`]
  })
  return said.length === 0 ? 'No worker was there to be asked' : said.join(', ')
}

/** What a worker said, whatever it is: `set`, or `concurrency: 5, autoscale: none`. */
export function tellSaid(value: unknown): string {
  if (value === null || value === undefined) return 'none'
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map(tellSaid).join(', ')
  if (typeof value !== 'object') return String(value)
  return Object.entries(value)
    .map(([name, each]) => `${name}: ${tellSaid(each)}`)
    .join(', ')
}

/** To how many it was done, where a list has room for no more: `2 workers`; of what is not done yet, how far it is. */
export function tellAffected({
  verb,
  operation,
  affected,
}: Pick<Json<AuditLine>, 'verb' | 'operation' | 'affected'>): string {
  if (operation && operation.state !== 'done') {
    const { state, done, matched, isMore } = operation
    return `${state}: ${tellCount(done)} of ${tellCount(Math.max(done, matched))}${isMore ? ' or more' : ''}`
  }
  const count = operation?.done ?? affected
  if (count === null) return ''
  const [one, many] = isAskedOfWorkers(verb) ? ['worker', 'workers'] : ['job', 'jobs']
  return `${tellCount(count)} ${count === 1 ? one : many}`
}
