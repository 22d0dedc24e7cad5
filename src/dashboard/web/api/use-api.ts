import { useCallback, useRef, useSyncExternalStore } from 'react'
import type { DashboardAction } from '../../../control/access.js'
import type { AnswerOf, Me, RouteName } from '../../api/contract.js'
import { type Asked, addressOf } from './address.js'
import { isOutage, type Problem } from './call.js'
import { type FeedState, feed, type Outage } from './feed.js'
import type { Json } from './json.js'

export interface Shown<Value> {
  /** `undefined` before the first answer. While another address is asked for, what the one before it said. */
  readonly data: Value | undefined
  /** What the server has against this address. An outage is told of once for the whole page: `useOutage`. */
  readonly problem: Problem | undefined
  /** What is shown is of the address before. */
  readonly isLoading: boolean
}

export type Readable = Extract<RouteName, `GET ${string}`>

/** What the API says of an address, now and as it changes. @param asked `undefined`: nothing yet */
export function useApi<Name extends Readable>(
  name: Name,
  asked: Asked<Name> | undefined,
): Shown<Json<AnswerOf<Name>>> {
  const address = asked === undefined ? undefined : addressOf(name, asked)
  const watch = useCallback(
    (listener: () => void) => (address === undefined ? () => {} : feed.watch(address, listener)),
    [address],
  )
  const known = useSyncExternalStore(watch, () => (address === undefined ? unasked : feed.get(address)))
  const last = useRef<unknown>(undefined)
  if (known.body !== undefined) last.current = known.body
  const problem = known.problem && !isOutage(known.problem) ? known.problem : undefined
  return {
    data: (known.body ?? last.current) as Json<AnswerOf<Name>> | undefined,
    problem,
    isLoading: address !== undefined && known.body === undefined && problem === undefined,
  }
}

const unasked = Object.freeze({ body: undefined, problem: undefined, at: 0 })

export function useFeedState(): FeedState {
  return useSyncExternalStore(
    (listener) => feed.onState(listener),
    () => feed.state,
  )
}

export function useOutage(): Outage | undefined {
  return useSyncExternalStore(
    (listener) => feed.onState(listener),
    () => feed.outage,
  )
}

export function useMe(): Json<Me> | undefined {
  return useApi('GET /me', {}).data
}

/** Whether whoever looks may do something. Before that is known: no. The server looks for itself in any case. */
export function useMay(action: DashboardAction): boolean {
  return useMe()?.actions.includes(action) ?? false
}
