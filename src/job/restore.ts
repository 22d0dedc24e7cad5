import type { PayloadIssue } from '../errors.js'
import { censor, type RedactedPart } from './redact.js'

export interface Restored {
  readonly value: unknown
  /** What stands for a hidden value, where it is not known which. */
  readonly issues: readonly PayloadIssue[]
}

/**
 * A part of a job that somebody has edited who did not see all of it: where he left the text that stands for a hidden
 * value, the value that is kept takes its place. The text itself is never taken for a value.
 *
 * @param paths what is hidden, as `redact` has it
 */
export function restoreHidden(
  paths: readonly string[],
  part: RedactedPart,
  edited: unknown,
  kept: unknown,
): Restored {
  const issues: PayloadIssue[] = []
  let value = edited
  for (const path of paths) {
    const [first, ...steps] = toSteps(path)
    if (first === part) value = restore(value, kept, steps, [])
  }
  return { value, issues }

  function restore(now: unknown, was: unknown, steps: readonly string[], at: PayloadIssue['path']): unknown {
    const [step, ...rest] = steps
    if (step === undefined) return now === censor ? valueAt(was, at) : now
    if (Array.isArray(now)) return restoreList(now, was, step, rest, at)
    if (!isRecord(now)) return now
    const inside = isRecord(was) ? was : {}
    const entries = Object.entries(now).map(([key, each]) =>
      step === '*' || step === key
        ? [key, restore(each, ownOf(inside, key), rest, [...at, key])]
        : [key, each],
    )
    return Object.fromEntries(entries)
  }

  /** By their places; in a list of another length nobody knows which is which. */
  function restoreList(
    now: readonly unknown[],
    was: unknown,
    step: string,
    rest: readonly string[],
    at: PayloadIssue['path'],
  ): unknown {
    const before: readonly unknown[] = Array.isArray(was) && was.length === now.length ? was : []
    return now.map((each, place) =>
      step === '*' || step === String(place) ? restore(each, before[place], rest, [...at, place]) : each,
    )
  }

  function valueAt(was: unknown, path: PayloadIssue['path']): unknown {
    if (was !== undefined && was !== censor) return was
    issues.push({ path, message: unknownValue })
    return censor
  }
}

const unknownValue = `"${censor}" stands for a hidden value, and there is none at this place that could be kept. Write the value itself.`

function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function ownOf(record: Record<string, unknown>, key: string): unknown {
  return Object.hasOwn(record, key) ? record[key] : undefined
}

/** `payload.items[*].secret`, `payload["odd name"]` */
function toSteps(path: string): string[] {
  const found = path.matchAll(
    /\[(?:"(?<double>[^"]*)"|'(?<single>[^']*)'|(?<bare>[^\]]*))\]|(?<name>[^.[\]]+)/g,
  )
  return [...found].map(
    ({ groups = {} }) => groups.double ?? groups.single ?? groups.bare ?? groups.name ?? '',
  )
}
