import type { AnswerOf, RevealedJob } from './contract.js'
import { jobNotFound } from './job.js'
import { ApiError, assertMay } from './problem.js'
import type { Call } from './route.js'

type Retry = Call<'POST /jobs/:id/retry'>

/** `POST /jobs/:id/retry`: an ended job begins anew, with another payload if there is one. */
export async function retryJob(call: Retry): Promise<AnswerOf<'POST /jobs/:id/retry'>> {
  const { id } = call.params
  // JSON has no `undefined`: what stands there is a payload, be it `null`.
  const answer = await (call.body.payload === undefined ? retryAsItIs(call) : retryEdited(call))
  if (answer === 'retried') return { id }
  if (answer === 'unknown') throw jobNotFound()
  throw new ApiError(
    409,
    'JOB_NOT_RETRIED',
    'Only jobs that have failed, were cancelled or expired begin anew. This one is none of them, or somebody was quicker.',
  )
}

/** As for many, so that the audit has it. */
async function retryAsItIs({ deps, params, visitor, from }: Retry): Promise<string> {
  const { counts } = await deps.bulk.retry([params.id], { by: visitor.by, from })
  const [outcome = 'unknown'] = Object.keys(counts)
  return outcome
}

async function retryEdited({ deps, params, body, visitor, from }: Retry): Promise<string> {
  assertMay(visitor, 'job.edit')
  return deps.retryWith(params.id, body.payload, { by: visitor.by, from })
}

/** `POST /jobs/:id/reveal`: the job with what its task hides. It is noted who saw it. */
export async function revealJob({
  deps,
  params,
  visitor,
  from,
}: Call<'POST /jobs/:id/reveal'>): Promise<RevealedJob> {
  const revealed = await deps.reveal(params.id, { by: visitor.by, from })
  if (!revealed) throw jobNotFound()
  return { ...revealed.job, isRemoved: revealed.isRemoved }
}
