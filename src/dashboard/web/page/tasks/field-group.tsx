import type { ReactNode } from 'react'
import { Button } from '../../ui/button.js'
import { type Draft, unsaid } from './draft.js'
import { FieldHint } from './field-hint.js'
import { labelOf, type Placed, said, unsaidWord } from './field-words.js'
import css from './payload-form.module.css'

interface FieldGroupProps extends Placed {
  onChange(draft: Draft): void
}

/** Of an object or a list that is left out. */
export function LeftOut(props: FieldGroupProps) {
  const { field, onChange } = props
  return (
    <div className={css.left}>
      <span className={css.label}>{field.label}</span>
      <Button size="small" onClick={() => onChange(said(field))}>
        Say it
      </Button>
      <span className={css.hint}>{unsaidWord(field)}</span>
      <FieldHint {...props} />
    </div>
  )
}

/** Fields that belong together. Those of the payload itself have no frame. */
export function FieldGroup(props: FieldGroupProps & { readonly children: ReactNode }) {
  const { field, path, onChange, children } = props
  if (path.length === 0) return <div className={css.fields}>{children}</div>
  return (
    <fieldset className={css.group}>
      <legend>
        {labelOf(field)}
        {!field.isRequired && (
          <Button
            size="small"
            kind="plain"
            aria-label={`Leave out ${field.label}`}
            onClick={() => onChange(unsaid)}
          >
            Leave out
          </Button>
        )}
      </legend>
      <FieldHint {...props} />
      <div className={css.fields}>{children}</div>
    </fieldset>
  )
}
