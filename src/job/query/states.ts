import { isEnd, type JobState, moves } from '../state.js'

export const jobStates = Object.keys(moves) as JobState[]

const open = jobStates.filter((state) => !isEnd(state))

/** What others call our states, and words for several of them. */
const stateWords: Readonly<Record<string, readonly JobState[]>> = {
  open,
  ended: jobStates.filter(isEnd),
  waiting: open.filter((state) => state !== 'running'),
  // Celery and Flower.
  pending: ['queued'],
  received: ['queued'],
  success: ['succeeded'],
  failure: ['failed'],
  retry: ['retrying'],
  revoked: ['cancelled'],
  // BullMQ. Its "active", and Celery's "started".
  active: ['running'],
  completed: ['succeeded'],
  delayed: ['scheduled', 'retrying'],
  started: ['running'],
  canceled: ['cancelled'],
}

/** The words that mean several states. */
export const groupWords = ['open', 'waiting', 'ended'] as const

/** The states that a word means, in any case of letters. */
export function statesOfWord(word: string): readonly JobState[] | undefined {
  const wanted = word.toLowerCase()
  const state = jobStates.find((each) => each === wanted)
  if (state) return [state]
  return Object.hasOwn(stateWords, wanted) ? stateWords[wanted] : undefined
}
