import { Menu as Base } from '@base-ui/react/menu'
import type { ReactNode } from 'react'
import css from './menu.module.css'

export interface MenuItem {
  readonly label: string
  readonly isDanger?: boolean
  readonly isDisabled?: boolean
  onPick(): void
}

/** Actions behind one button. */
export function Menu({ label, items, children }: MenuProps) {
  if (items.length === 0) return null
  return (
    <Base.Root>
      <Base.Trigger className={css.trigger} aria-label={label}>
        {children ?? '⋯'}
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner sideOffset={4} align="end" className={css.place}>
          <Base.Popup className={css.list}>
            {items.map(({ label: name, isDanger, isDisabled, onPick }) => (
              <Base.Item
                key={name}
                className={`${css.item} ${isDanger ? css.danger : ''}`}
                disabled={isDisabled ?? false}
                onClick={onPick}
              >
                {name}
              </Base.Item>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}

interface MenuProps {
  readonly label: string
  readonly items: readonly MenuItem[]
  readonly children?: ReactNode
}
