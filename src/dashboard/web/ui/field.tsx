import { type ComponentProps, type ReactNode, useId } from 'react'
import css from './field.module.css'

interface FieldProps {
  readonly label: string
  /** What may stand here, or what is wrong with it. */
  readonly hint?: ReactNode
  readonly isWrong?: boolean
}

/** A line of text with its name. */
export function TextField({
  label,
  hint,
  isWrong = false,
  ...input
}: FieldProps & Omit<ComponentProps<'input'>, 'className'>) {
  const id = useId()
  return (
    <div className={css.field}>
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        {...input}
        className={css.input}
        aria-invalid={isWrong || undefined}
        {...(hint === undefined ? {} : { 'aria-describedby': `${id}-hint` })}
      />
      <Hint id={id} hint={hint} isWrong={isWrong} />
    </div>
  )
}

/** Many lines, in a fixed-width face: JSON, as a rule. */
export function AreaField({
  label,
  hint,
  isWrong = false,
  ...area
}: FieldProps & Omit<ComponentProps<'textarea'>, 'className'>) {
  const id = useId()
  return (
    <div className={css.field}>
      <label htmlFor={id}>{label}</label>
      <textarea
        id={id}
        rows={8}
        spellCheck={false}
        {...area}
        className={`${css.input} ${css.area}`}
        aria-invalid={isWrong || undefined}
        {...(hint === undefined ? {} : { 'aria-describedby': `${id}-hint` })}
      />
      <Hint id={id} hint={hint} isWrong={isWrong} />
    </div>
  )
}

interface SelectProps extends FieldProps {
  readonly value: string
  readonly options: readonly { readonly value: string; readonly label: string }[]
  onChange(value: string): void
  readonly isLabelShown?: boolean
}

/** The browser's own list: it works everywhere, and by keyboard. */
export function SelectField({
  label,
  hint,
  isWrong = false,
  value,
  options,
  onChange,
  isLabelShown = true,
}: SelectProps) {
  const id = useId()
  return (
    <div className={css.field}>
      <label htmlFor={id} className={isLabelShown ? undefined : 'hidden-but-read'}>
        {label}
      </label>
      <select
        id={id}
        className={css.input}
        value={value}
        aria-invalid={isWrong || undefined}
        {...(hint === undefined ? {} : { 'aria-describedby': `${id}-hint` })}
        onChange={(event) => onChange(event.target.value)}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
      <Hint id={id} hint={hint} isWrong={isWrong} />
    </div>
  )
}

function Hint({ id, hint, isWrong }: { id: string; hint: ReactNode; isWrong: boolean }) {
  if (hint === undefined) return null
  return (
    <p id={`${id}-hint`} className={isWrong ? css.wrong : css.hint}>
      {hint}
    </p>
  )
}
