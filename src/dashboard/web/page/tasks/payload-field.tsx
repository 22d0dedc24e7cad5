import { Button } from '../../ui/button.js'
import { Checkbox } from '../../ui/checkbox.js'
import { TextField } from '../../ui/field.js'
import { type Draft, emptyDraft, unsaid } from './draft.js'
import { FieldGroup, LeftOut } from './field-group.js'
import { hintOf, isWrong, type Placed, said } from './field-words.js'
import css from './payload-form.module.css'
import { Chosen, Flag, type SimpleFieldProps, Typed } from './simple-field.js'

export interface PayloadFieldProps extends Placed {
  readonly draft: Draft
  onChange(draft: Draft): void
}

/** One field of a payload, with what belongs to it. */
export function PayloadField(props: PayloadFieldProps) {
  const { field, draft, onChange } = props
  if (!field.isNullable) return <Plain {...props} />
  return (
    <div className={css.nullable}>
      {draft.is === 'null' ? (
        <TextField label={field.label} value="null" readOnly hint={hintOf(props)} isWrong={isWrong(props)} />
      ) : (
        <Plain {...props} />
      )}
      <Checkbox
        label="null"
        isLabelShown
        isChecked={draft.is === 'null'}
        onChange={(isNull) => onChange(isNull ? { is: 'null' } : said(field))}
      />
    </div>
  )
}

function Plain(props: PayloadFieldProps) {
  const { field } = props
  switch (field.kind) {
    case 'text':
    case 'number':
    case 'json':
      return <Typed {...props} field={field} />
    case 'flag':
      return <Flag {...props} field={field} />
    case 'choice':
      return <Chosen {...props} field={field} />
    case 'object':
      return <Fields {...props} field={field} />
    case 'list':
      return <Items {...props} field={field} />
  }
}

function Fields(props: SimpleFieldProps<'object'>) {
  const { field, draft, path, faults, onChange } = props
  if (draft.is !== 'fields') return <LeftOut {...props} />
  return (
    <FieldGroup {...props}>
      {field.fields.map((each) => (
        <PayloadField
          key={each.name}
          field={each}
          draft={draft.of[each.name] ?? unsaid}
          path={[...path, each.name]}
          faults={faults}
          onChange={(next) =>
            onChange({
              is: 'fields',
              of: Object.fromEntries([
                ...Object.entries(draft.of).filter(([name]) => name !== each.name),
                [each.name, next],
              ]),
            })
          }
        />
      ))}
    </FieldGroup>
  )
}

function Items(props: SimpleFieldProps<'list'>) {
  const { field, draft, path, faults, onChange } = props
  if (draft.is !== 'items') return <LeftOut {...props} />
  const { of } = draft
  return (
    <FieldGroup {...props}>
      {of.map((item, at) => (
        // Items have no names: their place is what they are.
        // biome-ignore lint/suspicious/noArrayIndexKey: see above
        <div key={at} className={css.item}>
          <PayloadField
            field={{ ...field.item, label: `${field.label} ${at + 1}` }}
            draft={item}
            path={[...path, at]}
            faults={faults}
            onChange={(next) => onChange({ is: 'items', of: of.with(at, next) })}
          />
          <Button
            size="small"
            aria-label={`Remove ${field.label} ${at + 1}`}
            onClick={() => onChange({ is: 'items', of: of.toSpliced(at, 1) })}
          >
            Remove
          </Button>
        </div>
      ))}
      <div>
        <Button
          size="small"
          onClick={() =>
            onChange({ is: 'items', of: [...of, emptyDraft({ ...field.item, isRequired: true })] })
          }
        >
          Add to {field.label}
        </Button>
      </div>
    </FieldGroup>
  )
}
