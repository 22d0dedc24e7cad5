import { useReducer, useRef } from 'react'
import { type Held, hold } from './held.js'

/** For so long what comes is what one has done oneself. */
const ownMs = 5000

interface UseHeldOptions<Item> {
  /** Of the list: another one is shown as soon as it is there. */
  readonly key: string
  readonly latest: readonly Item[] | undefined
  /** What there is, is of the list before. */
  readonly isLoading: boolean
  /** Somebody reads or chooses, so nothing may move. */
  readonly isHeld: boolean
  /** Whether a row comes before another in the order of the list, where that is known. */
  readonly isBefore: ((one: Item, other: Item) => boolean) | undefined
}

interface Holding<Item extends { readonly id: string }> extends Held<Item> {
  /** Shows what is new. */
  accept(): void
  /** Something was done from this page: what comes of it is shown as it comes. */
  expect(): void
}

/** The rows to show of a list that goes on. */
export function useHeld<Item extends { readonly id: string }>({
  key,
  latest,
  isLoading,
  isHeld,
  isBefore,
}: UseHeldOptions<Item>): Holding<Item> {
  const ownUntil = useRef(0)
  const shown = useRef<{ readonly key: string; rows: readonly Item[] }>(undefined)
  const [, show] = useReducer((turn: number) => turn + 1, 0)
  const accept = () => {
    shown.current = undefined
    show()
  }
  const expect = () => {
    ownUntil.current = Date.now() + ownMs
    accept()
  }
  if (latest === undefined) return { rows: [], gone: none, fresh: 0, accept, expect }
  const isOther = shown.current?.key !== key && !isLoading
  const isStill = isLoading || (isHeld && Date.now() >= ownUntil.current)
  if (!shown.current || isOther || !isStill) shown.current = { key, rows: latest }
  const held = hold(shown.current.rows, latest, isBefore)
  shown.current.rows = held.rows
  return { ...held, accept, expect }
}

const none: ReadonlySet<string> = new Set()
