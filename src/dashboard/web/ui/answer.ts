import type { Answer } from '../../../control/door.js'
import type { Json } from '../api/json.js'

/** What workers made of what was set for all, in a sentence: for those that did not answer it holds as well. */
export function tellHeard({ replies, refused, silent }: Json<Answer<unknown>>): string {
  const all = replies.length + refused.length + silent.length
  if (all === 0) return 'No worker runs; those that start later begin with it.'
  if (silent.length + refused.length === 0)
    return all === 1 ? 'The one worker knows.' : `All ${all} workers know.`
  const names = [...silent, ...refused.map(({ worker }) => worker)].map(({ name }) => name)
  return `${replies.length} of ${all} workers know. Not heard of yet: ${names.join(', ')}; it holds for them, too.`
}
