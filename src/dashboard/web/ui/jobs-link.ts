import type { JobsQuery, Range } from '../../api/contract.js'

type Linked = Pick<
  JobsQuery,
  | 'query'
  | 'id'
  | 'state'
  | 'task'
  | 'queue'
  | 'worker'
  | 'owner'
  | 'tag'
  | 'parent'
  | 'minDuration'
  | 'maxDuration'
>

/** How far back the list of jobs looks. */
export type JobsRange = Range | 'all'

/** Which jobs a link leads to: what the page of jobs has in its address. */
export interface JobsLink extends Linked {
  range?: JobsRange
  sort?: 'oldest'
}

/** The page of those jobs: `<Link href={jobsLink({ state: ['failed'], task: [name], range })}>`. */
export function jobsLink(link: JobsLink): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(link))
    for (const each of value === undefined ? [] : [value].flat()) params.append(name, each)
  const text = params.toString()
  return text === '' ? '/jobs' : `/jobs?${text}`
}
