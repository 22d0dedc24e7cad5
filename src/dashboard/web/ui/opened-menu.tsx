import { Menu as Base } from '@base-ui/react/menu'
import type { MenuItem, MenuProps } from './menu.js'
import css from './menu.module.css'

/** A menu that has been opened once. */
export default function OpenedMenu({ label, items, children }: MenuProps) {
  return (
    <Base.Root defaultOpen>
      <Base.Trigger className={css.trigger} aria-label={label}>
        {children}
      </Base.Trigger>
      <Base.Portal>
        <Base.Positioner sideOffset={4} align="end" className={css.place}>
          <Base.Popup className={css.list}>
            {items.map((item) => (
              <Item key={item.label} item={item} />
            ))}
          </Base.Popup>
        </Base.Positioner>
      </Base.Portal>
    </Base.Root>
  )
}

function Item({ item }: { readonly item: MenuItem }) {
  const { label, isDanger = false, isDisabled = false, isChecked, onPick } = item
  if (isChecked === undefined)
    return (
      <Base.Item
        className={`${css.item} ${isDanger ? css.danger : ''}`}
        disabled={isDisabled}
        onClick={onPick}
      >
        {label}
      </Base.Item>
    )
  return (
    <Base.CheckboxItem
      className={`${css.item} ${css.check}`}
      disabled={isDisabled}
      checked={isChecked}
      closeOnClick={false}
      onCheckedChange={onPick}
    >
      <Base.CheckboxItemIndicator className={css.tick}>✓</Base.CheckboxItemIndicator>
      {label}
    </Base.CheckboxItem>
  )
}
