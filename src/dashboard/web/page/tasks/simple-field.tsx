import { Checkbox } from '../../ui/checkbox.js'
import { AreaField, SelectField, TextField } from '../../ui/field.js'
import { type Draft, unsaid } from './draft.js'
import { FieldHint } from './field-hint.js'
import { hintOf, isWrong, labelOf, type Placed, plain, unsaidWord } from './field-words.js'
import type { Field } from './form.js'
import css from './payload-form.module.css'

export interface SimpleFieldProps<Kind extends Field['kind']> extends Placed {
  readonly field: Extract<Field, { readonly kind: Kind }>
  readonly draft: Draft
  onChange(draft: Draft): void
}

/** What is typed: text, numbers, JSON. */
export function Typed(props: SimpleFieldProps<'text' | 'number' | 'json'>) {
  const { field, draft, onChange } = props
  const shared = {
    ...{ label: labelOf(field), hint: hintOf(props), isWrong: isWrong(props) },
    value: draft.is === 'typed' ? draft.text : '',
    ...(field.standard === undefined ? {} : { placeholder: plain(field.standard) }),
  }
  const change = (text: string) => onChange(text === '' && !field.isRequired ? unsaid : { is: 'typed', text })
  if (field.kind === 'json' || (field.kind === 'text' && field.isLong))
    return (
      <AreaField
        {...shared}
        rows={field.kind === 'json' ? 4 : 6}
        onChange={({ target }) => change(target.value)}
      />
    )
  return (
    <TextField
      {...shared}
      {...(field.kind === 'text' ? { type: field.input } : { inputMode: 'decimal' as const })}
      autoComplete="off"
      onChange={({ target }) => change(target.value)}
    />
  )
}

/** Yes or no; where it may be left out, also that. */
export function Flag(props: SimpleFieldProps<'flag'>) {
  const { field, draft, onChange } = props
  if (field.isRequired)
    return (
      <div className={css.flag}>
        <Checkbox
          label={field.label}
          isLabelShown
          isChecked={draft.is === 'chosen' && draft.value === true}
          onChange={(value) => onChange({ is: 'chosen', value })}
        />
        <FieldHint {...props} />
      </div>
    )
  return (
    <SelectField
      label={labelOf(field)}
      hint={hintOf(props)}
      isWrong={isWrong(props)}
      value={draft.is === 'chosen' ? String(draft.value) : ''}
      options={[
        { value: '', label: unsaidWord(field) },
        { value: 'true', label: 'yes' },
        { value: 'false', label: 'no' },
      ]}
      onChange={(text) => onChange(text === '' ? unsaid : { is: 'chosen', value: text === 'true' })}
    />
  )
}

/** One of the values that the schema lists. */
export function Chosen(props: SimpleFieldProps<'choice'>) {
  const { field, draft, onChange } = props
  const at = draft.is === 'chosen' ? field.values.indexOf(draft.value) : -1
  return (
    <SelectField
      label={labelOf(field)}
      hint={hintOf(props)}
      isWrong={isWrong(props)}
      value={at === -1 ? '' : String(at)}
      options={[
        { value: '', label: unsaidWord(field) },
        ...field.values.map((value, index) => ({ value: String(index), label: String(value) })),
      ]}
      onChange={(text) => {
        const value = text === '' ? undefined : field.values[Number(text)]
        onChange(value === undefined ? unsaid : { is: 'chosen', value })
      }}
    />
  )
}
