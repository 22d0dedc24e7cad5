import { useReducer, useRef } from 'react'
import { type Held, hold } from './held.js'

/**
 * The rows to show of a list that goes on.
 * @param key of the list: another one is shown as soon as it is there
 * @param isLoading what there is, is of the list before
 * @param isHeld somebody reads or chooses, so nothing may move
 */
export function useHeld<Item extends { readonly id: string }>(
  key: string,
  latest: readonly Item[] | undefined,
  isLoading: boolean,
  isHeld: boolean,
): Held<Item> & { accept(): void } {
  const shown = useRef<{ readonly key: string; rows: readonly Item[] }>(undefined)
  const [, show] = useReducer((turn: number) => turn + 1, 0)
  const accept = () => {
    shown.current = undefined
    show()
  }
  if (latest === undefined) return { rows: [], gone: none, fresh: 0, accept }
  const isOther = shown.current?.key !== key && !isLoading
  if (!shown.current || isOther || !(isHeld || isLoading)) shown.current = { key, rows: latest }
  const held = hold(shown.current.rows, latest)
  shown.current.rows = held.rows
  return { ...held, accept }
}

const none: ReadonlySet<string> = new Set()
