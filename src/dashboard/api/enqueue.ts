import type { HandOptions } from '../../control/by-hand.js'
import { ConfigError } from '../../errors.js'
import { checkQueue } from '../../task/check.js'
import type { AnswerOf } from './contract.js'
import { assertMay } from './problem.js'
import type { Call } from './route.js'

/** `POST /tasks/:name/enqueue`: a job for a person, not for a request. */
export async function enqueueByHand({
  deps,
  params,
  query,
  body,
  visitor,
  from,
  signal,
}: Call<'POST /tasks/:name/enqueue'>): Promise<AnswerOf<'POST /tasks/:name/enqueue'>> {
  const { payload, ...options } = body
  const { wait = 0 } = query
  // As for a retry with another payload: somebody writes around values that he does not see.
  if (options.copyOf !== undefined) assertMay(visitor, 'job.edit')
  const asker = { by: visitor.by, from }
  const { id, created } = await deps.enqueueByHand(params.name, payload, toOptions(options), asker)
  if (wait > 0) await deps.ended(id, wait * 1000, signal)
  return { id, created, job: (await deps.find(id)) ?? null }
}

const mostTags = 100

/** What the compiler checks where code enqueues; the rest, the enqueue checks for both. */
function toOptions(options: Omit<Call<'POST /tasks/:name/enqueue'>['body'], 'payload'>): HandOptions {
  const { queue, tags } = options
  if (queue !== undefined) checkQueue(queue, '"queue"')
  if (tags !== undefined && !(Array.isArray(tags) && tags.length <= mostTags))
    throw new ConfigError(`"tags" must be a list of at most ${mostTags} texts.`)
  return options as HandOptions
}
