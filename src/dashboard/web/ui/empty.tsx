import type { ReactNode } from 'react'
import css from './empty.module.css'

/** In the place of a list with nothing in it: what that means, and what to do. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ReactNode }) {
  return (
    <div className={css.empty}>
      <p className={css.title}>{title}</p>
      {children !== undefined && <div className={css.text}>{children}</div>}
    </div>
  )
}
