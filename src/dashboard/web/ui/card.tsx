import { type ReactNode, useId } from 'react'
import css from './card.module.css'

interface CardProps {
  readonly title?: ReactNode
  /** Beside the title, at its end. */
  readonly aside?: ReactNode
  /** Under the title: what it is, in a sentence. */
  readonly note?: ReactNode
  /** Its content touches its edges, as a table does. */
  readonly isFlush?: boolean
  readonly children: ReactNode
}

export function Card({ title, aside, note, isFlush = false, children }: CardProps) {
  const id = useId()
  return (
    <section className={css.card} {...(title === undefined ? {} : { 'aria-labelledby': id })}>
      {title !== undefined && (
        <header className={css.head}>
          <h2 id={id}>{title}</h2>
          {aside !== undefined && <div className={css.aside}>{aside}</div>}
          {note !== undefined && <p className={css.note}>{note}</p>}
        </header>
      )}
      <div className={isFlush ? css.flush : css.body}>{children}</div>
    </section>
  )
}

/** Cards beside each other, as many as there is room for. */
export function Grid({
  least = 320,
  children,
}: {
  readonly least?: 140 | 160 | 220 | 320 | 440
  readonly children: ReactNode
}) {
  return <div className={`${css.grid} ${css[`least${least}`]}`}>{children}</div>
}

/** Among the cards or charts of a grid: as wide as two, where two stand beside each other. */
export function Wide({ children }: { readonly children: ReactNode }) {
  return <div className={css.wide}>{children}</div>
}

/** Parts of a page under each other. */
export function Stack({ children }: { readonly children: ReactNode }) {
  return <div className={css.stack}>{children}</div>
}
