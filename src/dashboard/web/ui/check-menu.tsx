import { Menu as Base } from '@base-ui/react/menu'
import type { ReactNode } from 'react'
import css from './menu.module.css'

interface CheckMenuProps {
  readonly label: string
  readonly items: readonly { readonly id: string; readonly label: string }[]
  readonly checked: ReadonlySet<string>
  onChange(checked: ReadonlySet<string>): void
  readonly children: ReactNode
}

/** Some of many, behind one button. It stays open while one chooses. */
export function CheckMenu({ label, items, checked, onChange, children }: CheckMenuProps) {
  return (
    <Base.Root>
      <Base.Trigger className={css.trigger} aria-label={label}>
        {children}
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner sideOffset={4} align="end" className={css.place}>
          <Base.Popup className={css.list}>
            {items.map((item) => (
              <Base.CheckboxItem
                key={item.id}
                className={`${css.item} ${css.check}`}
                checked={checked.has(item.id)}
                closeOnClick={false}
                onCheckedChange={(isChecked) => onChange(toggled(checked, item.id, isChecked))}
              >
                <Base.CheckboxItemIndicator className={css.tick}>✓</Base.CheckboxItemIndicator>
                {item.label}
              </Base.CheckboxItem>
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}

function toggled(checked: ReadonlySet<string>, id: string, isChecked: boolean): ReadonlySet<string> {
  const next = new Set(checked)
  if (isChecked) next.add(id)
  else next.delete(id)
  return next
}
