import { now } from './now.js'
import { pause } from './pause.js'

/** A process that calls, as a web process does. Jobs are told apart by a number of the bench's. */
export interface Caller {
  /** Enqueues one job, and gives when it was called. */
  call(number: number): Promise<number>
  /** Calls for so many jobs, so many a second, and gives when each was called. */
  callPaced(first: number, count: number, perSecond: number): Promise<number[]>
  /** One call at a time: how long from each until one that looks again and again sees the job's end. */
  seeEach(first: number, count: number): Promise<number[]>
  /** The same for so many calls a second. */
  seePaced(first: number, count: number, perSecond: number): Promise<number[]>
  readonly [Name: string]: (...args: never[]) => Promise<unknown>
}

/** How long the one that looks sleeps between two looks. */
const lookEveryMs = 10

/** @param enqueue resolves, as the contender's own call does, with a way to see whether the job has ended */
export function createCaller(enqueue: (number: number) => Promise<() => Promise<boolean>>) {
  async function call(number: number): Promise<number> {
    const calledAt = now()
    await enqueue(number)
    return calledAt
  }

  async function see(number: number): Promise<number> {
    const calledAt = now()
    const hasEnded = await enqueue(number)
    while (!(await hasEnded())) await pause(lookEveryMs)
    return now() - calledAt
  }

  return {
    call,
    callPaced: (first: number, count: number, perSecond: number) => paced(first, count, perSecond, call),
    async seeEach(first: number, count: number) {
      const seen: number[] = []
      for (let number = first; number < first + count; number += 1) {
        seen.push(await see(number))
        // So that no two timers keep step.
        await pause(Math.random() * lookEveryMs)
      }
      return seen
    },
    seePaced: (first: number, count: number, perSecond: number) => paced(first, count, perSecond, see),
  } satisfies Caller
}

async function paced(
  first: number,
  count: number,
  perSecond: number,
  work: (number: number) => Promise<number>,
): Promise<number[]> {
  const startedAt = now()
  const works: Promise<number>[] = []
  for (let at = 0; at < count; at += 1) {
    await pause(startedAt + (at * 1000) / perSecond - now())
    works.push(work(first + at))
  }
  return Promise.all(works)
}
