import type { ReactNode } from 'react'
import css from './row-name.module.css'

interface RowNameProps {
  /** All of it, where it is cut. */
  readonly name: string
  /** How much room it has beside other columns. */
  readonly room: 'short' | 'long'
  readonly children: ReactNode
}

/** The name that a row is of, with what marks it. Beside others it is cut; on a phone, where it heads a card, it is not. */
export function RowName({ name, room, children }: RowNameProps) {
  return (
    <span className={`${css.name} ${css[room]}`} title={name}>
      {children}
    </span>
  )
}
