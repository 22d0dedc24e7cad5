import type { Vocabulary } from '../../api/contract.js'

/** Somewhere that a text may lead to. */
export interface Found {
  readonly kind: 'page' | 'job' | 'task' | 'queue' | 'worker' | 'search'
  readonly name: string
  /** Its address. */
  readonly to: string
}

type Names = Pick<Vocabulary, 'tasks' | 'queues' | 'workers'>
type Page = Readonly<Record<'name' | 'to', string>>

const mostNames = 8
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/**
 * Where a text may lead to, the likeliest first: a job by its id; what has that name; what begins with it; what has it
 * in its name; and always the jobs that match it as a query.
 */
export function find(text: string, names: Names, pages: readonly Page[]): Found[] {
  const wanted = text.trim()
  if (wanted === '') return []
  if (uuid.test(wanted)) return [{ kind: 'job', name: wanted, to: `/jobs/${wanted.toLowerCase()}` }]
  const named = [
    ...pages.map(({ name, to }): Found => ({ kind: 'page', name, to })),
    ...toFound('queue', '/queues', names.queues),
    ...toFound('task', '/tasks', names.tasks),
    ...toFound('worker', '/workers', names.workers),
  ]
  const low = wanted.toLowerCase()
  return [
    ...named
      .map((found) => ({ found, rank: rankOf(found.name.toLowerCase(), low) }))
      .filter(({ rank }) => rank < nowhere)
      .sort((a, b) => a.rank - b.rank)
      .slice(0, mostNames)
      .map(({ found }) => found),
    { kind: 'search', name: wanted, to: `/jobs?${new URLSearchParams({ query: wanted })}` },
  ]
}

function toFound(kind: Found['kind'], path: string, names: readonly string[]): Found[] {
  return names.map((name) => ({ kind, name, to: `${path}/${encodeURIComponent(name)}` }))
}

const nowhere = 3

function rankOf(name: string, wanted: string): number {
  if (name === wanted) return 0
  if (name.startsWith(wanted)) return 1
  return name.includes(wanted) ? 2 : nowhere
}
