import { Choice } from '../../ui/choice.js'
import { AreaField } from '../../ui/field.js'
import { Note } from '../../ui/note.js'
import { type Fault, placeFault } from './draft.js'
import { PayloadField } from './payload-field.js'
import css from './payload-form.module.css'
import type { PayloadDraft } from './use-payload.js'

interface PayloadEditorProps {
  readonly payload: PayloadDraft
  readonly faults: readonly Fault[]
  /** A small payload that fits, to begin from. */
  readonly example: unknown
}

/** A payload, by a form or as JSON. */
export function PayloadEditor({ payload, faults, example }: PayloadEditorProps) {
  const { form, mode, hindrance } = payload
  return (
    <section aria-label="Payload" className={css.fields}>
      <div className={css.head}>
        <h3>Payload</h3>
        {form && (
          <Choice
            label="How the payload is written"
            value={mode}
            options={[
              { value: 'form', label: 'Form' },
              { value: 'json', label: 'JSON' },
            ]}
            onChange={payload.switchTo}
          />
        )}
      </div>
      {hindrance !== undefined && <Note kind="warning">{hindrance}</Note>}
      {form && mode === 'form' ? (
        <PayloadField
          field={form}
          draft={payload.draft}
          path={[]}
          faults={faults.map((fault) => placeFault(form, fault))}
          onChange={payload.setDraft}
        />
      ) : (
        <AreaField
          label="Payload as JSON"
          rows={10}
          value={payload.text}
          isWrong={faults.length > 0}
          hint={faults.length > 0 ? <FaultList faults={faults} /> : hintOf(example)}
          onChange={({ target }) => payload.setText(target.value)}
        />
      )}
    </section>
  )
}

/** What is wrong, each with where. */
export function FaultList({ faults }: { readonly faults: readonly Fault[] }) {
  return faults.map(({ path, message }) => (
    <span key={`${path.join('.')} ${message}`} className={css.fault}>
      {path.length > 0 && <code>{path.join('.')}: </code>}
      {message}
    </span>
  ))
}

function hintOf(example: unknown): string {
  if (example === undefined || example === null) return 'Empty: the job gets no payload.'
  const text = JSON.stringify(example)
  return text.length > 200 ? 'JSON.' : `For example ${text}`
}
