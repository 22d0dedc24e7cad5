import { AsyncLocalStorage } from 'node:async_hooks'
import type { Visitor } from '../access.js'

/** What bull-board's functions are not told of the request that they answer. */
export interface Visit {
  /** By which what runs in the page is known to be ours. */
  readonly nonce: string
  readonly visitor: Visitor
  /** From where he came, for the audit. */
  readonly from: string
  /** Where the status of a job is, without the id; `undefined` when nobody knows. */
  readonly statusBase: string | undefined
}

const visits = new AsyncLocalStorage<Visit>()

export function runVisit(visit: Visit, serve: () => void): void {
  visits.run(visit, serve)
}

export function currentVisit(): Visit {
  const visit = visits.getStore()
  if (!visit) throw new Error('The board was asked for something outside of a request.')
  return visit
}
