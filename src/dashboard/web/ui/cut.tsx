import type { ReactNode } from 'react'
import css from './cut.module.css'

export interface CutProps {
  /** All of it. */
  readonly text: string
  /** How much room it has beside other columns. */
  readonly room?: 'short' | 'long'
  /** Default: the text. */
  readonly children?: ReactNode
}

/** A name in a cell: beside others in one line, and cut where it is long. On a phone there is room for all of it. */
export function Cut({ text, room = 'short', children = text }: CutProps) {
  return (
    <span className={`${css.cut} ${css[room]}`} title={text}>
      {children}
    </span>
  )
}
