import { Checkbox as Base } from '@base-ui/react/checkbox'
import type { MouseEvent } from 'react'
import css from './checkbox.module.css'

interface CheckboxProps {
  readonly label: string
  readonly isChecked: boolean
  readonly isPartly?: boolean
  /** The label is seen, not only read. */
  readonly isLabelShown?: boolean
  /** @param isRange Shift was held: also what lies between this and the one before */
  onChange(isChecked: boolean, isRange: boolean): void
}

export function Checkbox({
  label,
  isChecked,
  isPartly = false,
  isLabelShown = false,
  onChange,
}: CheckboxProps) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the control is the box inside
    <label className={css.label} onMouseDown={keepSelection}>
      <Base.Root
        className={css.box}
        checked={isChecked}
        indeterminate={isPartly && !isChecked}
        onCheckedChange={(next, { event }) => onChange(next, 'shiftKey' in event && event.shiftKey === true)}
        {...(isLabelShown ? {} : { 'aria-label': label })}
      >
        <Base.Indicator className={css.mark}>{isPartly && !isChecked ? '–' : '✓'}</Base.Indicator>
      </Base.Root>
      {isLabelShown && label}
    </label>
  )
}

/** With Shift a browser would select all text up to here. */
function keepSelection(event: MouseEvent): void {
  if (event.shiftKey) event.preventDefault()
}
