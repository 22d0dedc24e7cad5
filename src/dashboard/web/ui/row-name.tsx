import type { ReactNode } from 'react'
import css from './row-name.module.css'

interface RowNameProps {
  /** All of it, where it is cut. */
  readonly name: string
  readonly children: ReactNode
}

/**
 * The name that a row is of, with what marks it, in a column that takes what room is left. There it is cut; on a phone,
 * where it heads a card, it is not.
 */
export function RowName({ name, children }: RowNameProps) {
  return (
    <span className={css.name} title={name}>
      {children}
    </span>
  )
}
