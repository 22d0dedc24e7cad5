import { Toggle } from '@base-ui/react/toggle'
import { ToggleGroup } from '@base-ui/react/toggle-group'
import css from './choice.module.css'

interface ChoiceProps<Value extends string> {
  readonly label: string
  readonly value: Value
  readonly options: readonly { readonly value: Value; readonly label: string; readonly title?: string }[]
  onChange(value: Value): void
}

/** One of a few, all of them seen. */
export function Choice<Value extends string>({ label, value, options, onChange }: ChoiceProps<Value>) {
  return (
    <ToggleGroup
      className={css.group}
      aria-label={label}
      value={[value]}
      onValueChange={([next]) => {
        const found = options.find((option) => option.value === next)
        if (found) onChange(found.value)
      }}
    >
      {options.map((option) => (
        <Toggle key={option.value} value={option.value} className={css.option} title={option.title}>
          {option.label}
        </Toggle>
      ))}
    </ToggleGroup>
  )
}
