import type { Inspect } from '../../control/control.js'
import type { Answer, AskOptions } from '../../control/door.js'
import type { Verb } from '../../control/verbs.js'
import { toAskOptions } from './call.js'
import { ApiError } from './problem.js'
import type { Call } from './route.js'

type Ask = (inspect: Inspect, options: AskOptions) => Promise<Answer<unknown>>

/** Of each verb that only asks. */
export const questions: Readonly<Partial<Record<Verb, Ask>>> = Object.freeze({
  ping: (inspect, options) => inspect.ping(options),
  active: (inspect, options) => inspect.active(options),
  reserved: (inspect, options) => inspect.reserved(options),
  registered: (inspect, options) => inspect.registered(options),
  stats: (inspect, options) => inspect.stats(options),
  queues: (inspect, options) => inspect.queues(options),
  conf: (inspect, options) => inspect.conf(options),
  report: (inspect, options) => inspect.report(options),
} satisfies Partial<Record<Verb, Ask>>)

/** `GET /inspect/:question` */
export async function askQuestion(call: Call<'GET /inspect/:question'>): Promise<Answer<unknown>> {
  const { question } = call.params
  const ask = Object.hasOwn(questions, question) ? questions[question as Verb] : undefined
  if (!ask) throw unknownQuestion(question)
  return ask(call.deps.inspect, toAskOptions(call, call.query))
}

function unknownQuestion(name: string): ApiError {
  const known = Object.keys(questions).join(', ')
  return new ApiError(
    404,
    'UNKNOWN_QUESTION',
    `Workers are not asked "${name.slice(0, 100)}". Known: ${known}.`,
  )
}
