import { useEffect, useId, useState } from 'react'
import css from './filter.module.css'

interface TextFilterProps {
  readonly label: string
  readonly value: string
  /** Suggested; others may be typed. */
  readonly names: readonly string[] | undefined
  onChange(value: string): void
}

/** Text that holds once it is confirmed, by Enter or by going on. */
export function TextFilter({ label, value, names = [], onChange }: TextFilterProps) {
  const [typed, setTyped] = useState(value)
  const list = useId()
  useEffect(() => setTyped(value), [value])
  const confirm = (text: string) => {
    if (text.trim() !== value) onChange(text.trim())
  }
  return (
    <label className={css.filter}>
      <span className={css.name}>{label}</span>
      <input
        className={`${css.input} ${value === '' ? '' : css.isUsed}`}
        value={typed}
        placeholder="Any"
        list={list}
        onChange={({ target }) => {
          setTyped(target.value)
          // One that was picked from the list needs no further word.
          if (names.includes(target.value)) confirm(target.value)
        }}
        onBlur={() => confirm(typed)}
        onKeyDown={({ key }) => key === 'Enter' && confirm(typed)}
      />
      <datalist id={list}>
        {names.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </label>
  )
}
