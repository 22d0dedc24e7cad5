import { lazy, type ReactNode, Suspense, useState } from 'react'
import css from './menu.module.css'

export interface MenuItem {
  readonly label: string
  readonly isDanger?: boolean
  readonly isDisabled?: boolean
  /** One of some that are chosen: the menu stays open while one does. */
  readonly isChecked?: boolean
  onPick(): void
}

export interface MenuProps {
  readonly label: string
  readonly items: readonly MenuItem[]
  /** On the button. */
  readonly children?: ReactNode
}

const load = () => import('./opened-menu.js')
const OpenedMenu = lazy(load)
/** What fails here is tried again, and told of, when it is opened. */
const loadAhead = () => void load().catch(() => {})

/** Actions, or choices, behind one button. What opens it is loaded when somebody is about to. */
export function Menu({ label, items, children = '⋯' }: MenuProps) {
  const [isWanted, setWanted] = useState(false)
  if (items.length === 0) return null
  const open = () => setWanted(true)
  const button = (
    <button
      type="button"
      className={css.trigger}
      aria-label={label}
      aria-haspopup="menu"
      aria-expanded={false}
      onPointerEnter={loadAhead}
      onFocus={loadAhead}
      onClick={open}
      onKeyDown={({ key }) => key === 'ArrowDown' && open()}
    >
      {children}
    </button>
  )
  if (!isWanted) return button
  return (
    <Suspense fallback={button}>
      <OpenedMenu label={label} items={items}>
        {children}
      </OpenedMenu>
    </Suspense>
  )
}
