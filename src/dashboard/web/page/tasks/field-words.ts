import { type Draft, emptyDraft, type Fault } from './draft.js'
import type { Field } from './form.js'

/** A field, where it stands, and what is wrong with the payload. */
export interface Placed {
  readonly field: Field
  readonly path: Fault['path']
  readonly faults: readonly Fault[]
}

/** What it is when it begins to be said. */
export function said(field: Field): Draft {
  return emptyDraft({ ...field, isRequired: true })
}

export function labelOf({ label, isRequired }: Field): string {
  return isRequired ? label : `${label} (optional)`
}

export function unsaidWord({ isRequired, standard }: Field): string {
  if (isRequired) return 'Choose …'
  return standard === undefined ? 'left out' : `default: ${plain(standard)}`
}

export function plain(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

export function isWrong({ faults, path }: Placed): boolean {
  return faults.some((fault) => isAt(fault, path))
}

/** What is wrong with it; else what may stand here. */
export function hintOf({ field, faults, path }: Placed): string | undefined {
  const wrong = faults.filter((fault) => isAt(fault, path)).map(({ message }) => message)
  if (wrong.length > 0) return wrong.join(' ')
  const words = [field.about, field.constraints, field.kind === 'json' ? 'as JSON' : '']
  const told = words.filter((text) => text !== '').join(' · ')
  return told === '' ? undefined : told
}

function isAt(fault: Fault, path: Fault['path']): boolean {
  return (
    fault.path.length === path.length && fault.path.every((part, at) => String(part) === String(path[at]))
  )
}
