import { useMemo, useState } from 'react'
import { type Draft, emptyDraft, type Fault, type Read, readDraft, toDraft } from './draft.js'
import { type Field, formOf } from './form.js'
import type { Schema } from './schema.js'

/** A payload while it is written: by the form of its schema, or as JSON, one made of the other. */
export interface PayloadDraft {
  /** `undefined`: nothing is known of it, so that JSON is the way. */
  readonly form: Field | undefined
  readonly mode: 'form' | 'json'
  readonly draft: Draft
  readonly text: string
  /** Why the form cannot show it. */
  readonly hindrance: string | undefined
  setDraft(draft: Draft): void
  setText(text: string): void
  switchTo(mode: 'form' | 'json'): void
  /** What is to be sent; `undefined` in it: no payload. */
  read(): Read
}

/** @param begin what stands there first; what the form cannot show, JSON does */
export function usePayload(schema: Schema | null, begin?: { readonly value: unknown }): PayloadDraft {
  const form = useMemo(() => toForm(schema), [schema])
  const [first] = useState(() => firstOf(form, begin))
  const [mode, setMode] = useState<'form' | 'json'>(first.draft ? 'form' : 'json')
  const [draft, setDraft] = useState<Draft>(first.draft ?? { is: 'unsaid' })
  const [text, setText] = useState(first.text)
  const [hindrance, setHindrance] = useState<string>()
  const isForm = form !== undefined && mode === 'form'
  return {
    form,
    mode: isForm ? 'form' : 'json',
    ...{ draft, text, hindrance, setDraft },
    setText(next) {
      setHindrance(undefined)
      setText(next)
    },
    switchTo(next) {
      if (!form || next === mode) return
      if (next === 'json') {
        setText(tell(form, draft))
        setMode('json')
        return
      }
      const read = readText(text)
      const found = 'value' in read ? toDraft(form, read.value) : undefined
      setHindrance(found ? undefined : whyNot(read))
      if (!found) return
      setDraft(found)
      setMode('form')
    },
    read: () => (isForm ? readDraft(form, draft) : readText(text)),
  }
}

function firstOf(form: Field | undefined, begin: { readonly value: unknown } | undefined) {
  if (!begin) return { draft: form && emptyDraft(form), text: '' }
  const text = begin.value === undefined ? '' : JSON.stringify(begin.value, null, 2)
  return { draft: form && begin.value !== undefined ? toDraft(form, begin.value) : undefined, text }
}

/** One that would be a single JSON field is none. */
function toForm(schema: Schema | null): Field | undefined {
  const form = schema ? formOf(schema) : undefined
  return form?.kind === 'json' ? undefined : form
}

/** As far as it goes: what is wrong in the form, JSON shows as it is left out. */
function tell(form: Field, draft: Draft): string {
  const read = readDraft(form, draft)
  return 'value' in read ? JSON.stringify(read.value, null, 2) : JSON.stringify(rough(draft), null, 2)
}

function rough(draft: Draft): unknown {
  switch (draft.is) {
    case 'unsaid':
      return undefined
    case 'null':
      return null
    case 'typed':
      return draft.text
    case 'chosen':
      return draft.value
    case 'items':
      return draft.of.map(rough)
    case 'fields':
      return Object.fromEntries(Object.entries(draft.of).map(([name, each]) => [name, rough(each)]))
  }
}

function readText(text: string): Read {
  if (text.trim() === '') return { value: undefined }
  try {
    return { value: JSON.parse(text) as unknown }
  } catch (error) {
    const fault: Fault = {
      path: [],
      message: `This is no JSON: ${error instanceof Error ? error.message : String(error)}`,
    }
    return { faults: [fault] }
  }
}

function whyNot(read: Read): string {
  if ('faults' in read)
    return `${read.faults[0]?.message ?? 'This is no JSON.'} Mend it, and the form can show it.`
  return 'The form cannot show this payload: it has a field that the schema does not name, or a value of another kind. It can be sent as it is.'
}
