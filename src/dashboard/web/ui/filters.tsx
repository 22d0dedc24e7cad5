import { type ReactNode, useId, useState } from 'react'
import { Button } from './button.js'
import css from './filter.module.css'

interface FiltersProps {
  /** How many narrow the list now. */
  readonly used: number
  onClear(): void
  readonly children: ReactNode
}

/** What narrows a list, in a row. On a phone it folds. */
export function Filters({ used, onClear, children }: FiltersProps) {
  const [isOpen, setOpen] = useState(false)
  const id = useId()
  return (
    <div className={css.frame}>
      <div className={css.unfold}>
        <Button aria-expanded={isOpen} aria-controls={id} onClick={() => setOpen(!isOpen)}>
          Filters{used > 0 ? ` (${used})` : ''}
        </Button>
      </div>
      <div id={id} className={`${css.row} ${isOpen ? css.isOpen : ''}`}>
        {children}
        {/* Its place is kept, or all others would move as it comes. */}
        <span className={used > 0 ? undefined : css.off}>
          <Button kind="plain" disabled={used === 0} onClick={onClear}>
            Clear
          </Button>
        </span>
      </div>
    </div>
  )
}

interface ChoiceFilterProps<Value extends string> {
  readonly label: string
  readonly value: Value
  readonly options: readonly { readonly value: Value; readonly label: string }[]
  /** It narrows the list. */
  readonly isUsed: boolean
  onChange(value: Value): void
}

/** One of a few that are known beforehand. */
export function ChoiceFilter<Value extends string>({
  label,
  value,
  options,
  isUsed,
  onChange,
}: ChoiceFilterProps<Value>) {
  return (
    <label className={`${css.filter} ${css.ofWords}`}>
      <span className={css.name}>{label}</span>
      <select
        className={`${css.input} ${isUsed ? css.isUsed : ''}`}
        value={value}
        onChange={({ target }) => {
          const found = options.find((option) => option.value === target.value)
          if (found) onChange(found.value)
        }}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </label>
  )
}
