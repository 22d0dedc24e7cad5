import type { Field, Scalar } from './form.js'

/** What stands in a field of a form while it is filled in. */
export type Draft =
  /** Nothing is said: the field is left out. */
  | { readonly is: 'unsaid' }
  | { readonly is: 'null' }
  /** As it was typed, of texts, numbers and JSON. */
  | { readonly is: 'typed'; readonly text: string }
  | { readonly is: 'chosen'; readonly value: Scalar }
  | { readonly is: 'fields'; readonly of: Readonly<Record<string, Draft>> }
  | { readonly is: 'items'; readonly of: readonly Draft[] }

export interface Fault {
  readonly path: readonly (string | number)[]
  readonly message: string
}

export const unsaid: Draft = Object.freeze({ is: 'unsaid' })

/** A form with nothing in it. What must be there is there, and empty. */
export function emptyDraft(field: Field): Draft {
  if (!field.isRequired) return unsaid
  switch (field.kind) {
    case 'object':
      return {
        is: 'fields',
        of: Object.fromEntries(field.fields.map((each) => [each.name, emptyDraft(each)])),
      }
    case 'list':
      return { is: 'items', of: [] }
    case 'flag':
      return { is: 'chosen', value: false }
    case 'text':
    case 'number':
    case 'json':
      return { is: 'typed', text: '' }
    case 'choice':
      return field.values.length === 1 && field.values[0] !== undefined
        ? { is: 'chosen', value: field.values[0] }
        : unsaid
  }
}

export type Read = { readonly value: unknown } | { readonly faults: readonly Fault[] }

/** The payload of a form; `undefined` in it is left out. What no server could take is told at once. */
export function readDraft(field: Field, draft: Draft, path: Fault['path'] = []): Read {
  const fault = (message: string): Read => ({ faults: [{ path, message }] })
  switch (draft.is) {
    case 'unsaid':
      return field.isRequired ? fault('This must be said.') : { value: undefined }
    case 'null':
      return { value: null }
    case 'chosen':
      return { value: draft.value }
    case 'typed':
      return readText(field, draft.text, fault)
    case 'items':
      return field.kind === 'list'
        ? gather(
            draft.of.map((item, at) => readDraft(field.item, item, [...path, at])),
            (values) => values,
          )
        : fault('This is no list.')
    case 'fields':
      return field.kind === 'object'
        ? gather(
            field.fields.map((each) => readDraft(each, draft.of[each.name] ?? unsaid, [...path, each.name])),
            (values) =>
              Object.fromEntries(
                field.fields.flatMap(({ name }, at) =>
                  values[at] === undefined ? [] : [[name, values[at]]],
                ),
              ),
          )
        : fault('This is no object.')
  }
}

function readText(field: Field, text: string, fault: (message: string) => Read): Read {
  if (field.kind === 'text') return { value: text }
  if (text.trim() === '') return field.isRequired ? fault('This must be said.') : { value: undefined }
  if (field.kind === 'number') return readNumber(text.trim(), field.isWhole, fault)
  try {
    return { value: JSON.parse(text) as unknown }
  } catch (error) {
    return fault(`This is no JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function readNumber(text: string, isWhole: boolean, fault: (message: string) => Read): Read {
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : Number.NaN
  if (!Number.isFinite(value)) return fault('This is no number.')
  if (isWhole && !Number.isInteger(value)) return fault('This must be a whole number.')
  if (Number.isInteger(value) && !Number.isSafeInteger(value))
    return fault('This number is larger than JSON can say exactly.')
  return { value }
}

function gather(parts: readonly Read[], make: (values: readonly unknown[]) => unknown): Read {
  const faults = parts.flatMap((part) => ('faults' in part ? part.faults : []))
  if (faults.length > 0) return { faults }
  return { value: make(parts.map((part) => ('value' in part ? part.value : undefined))) }
}

/** A fault at the field that it is about: one deep inside of JSON stands at the JSON, and says where. */
export function placeFault(form: Field, { path, message }: Fault): Fault {
  let [field, depth] = [form, 0]
  for (const part of path) {
    const next = innerOf(field, part)
    if (!next) break
    field = next
    depth += 1
  }
  const rest = path.slice(depth).join('.')
  return { path: path.slice(0, depth), message: rest === '' ? message : `${rest}: ${message}` }
}

/** Faults that stand beside no field of the form. */
export function strayFaults(form: Field, faults: readonly Fault[]): readonly Fault[] {
  return faults.filter((fault) => placeFault(form, fault).path.length === 0)
}

function innerOf(field: Field, part: string | number): Field | undefined {
  if (field.kind === 'object') return field.fields.find(({ name }) => name === String(part))
  return field.kind === 'list' && /^\d+$/.test(String(part)) ? field.item : undefined
}

/** A payload as the form would have it. `undefined`: it has something that the form has no field for. */
export function toDraft(field: Field, value: unknown): Draft | undefined {
  if (value === undefined) return field.isRequired ? emptyDraft(field) : unsaid
  if (value === null && field.isNullable) return { is: 'null' }
  switch (field.kind) {
    case 'text':
      return typeof value === 'string' ? { is: 'typed', text: value } : undefined
    case 'number':
      return typeof value === 'number' ? { is: 'typed', text: String(value) } : undefined
    case 'flag':
      return typeof value === 'boolean' ? { is: 'chosen', value } : undefined
    case 'choice': {
      const chosen = field.values.find((each) => each === value)
      return chosen === undefined ? undefined : { is: 'chosen', value: chosen }
    }
    case 'json':
      return { is: 'typed', text: JSON.stringify(value, null, 2) }
    case 'list':
      return Array.isArray(value) ? toItems(field.item, value) : undefined
    case 'object':
      return toFields(field.fields, value)
  }
}

function toItems(item: Field, values: readonly unknown[]): Draft | undefined {
  const of: Draft[] = []
  for (const value of values) {
    const draft = toDraft(item, value)
    if (!draft) return undefined
    of.push(draft)
  }
  return { is: 'items', of }
}

function toFields(fields: readonly Field[], value: unknown): Draft | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined
  const said = value as Readonly<Record<string, unknown>>
  if (Object.keys(said).some((name) => !fields.some((field) => field.name === name))) return undefined
  const of: [string, Draft][] = []
  for (const field of fields) {
    const draft = toDraft(field, Object.hasOwn(said, field.name) ? said[field.name] : undefined)
    if (!draft) return undefined
    of.push([field.name, draft])
  }
  return { is: 'fields', of: Object.fromEntries(of) }
}
