import type { Fact } from '../../../api/contract.js'
import { tellBytes, tellCount, tellDuration, tellPart } from '../../ui/format.js'

type Told = Pick<Fact, 'value' | 'unit'>

/** A fact in words; `undefined`: the server does not tell. */
export function tellFact({ value, unit }: Told): string | undefined {
  if (value === null) return undefined
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (typeof value === 'string') return value === '' ? undefined : value
  switch (unit) {
    case 'bytes':
      return tellBytes(value)
    case 'ms':
      return tellDuration(value)
    case 'part':
      return tellPart(value)
    default:
      return tellCount(value)
  }
}

/** How much of what it may be a fact is, 0 to 1; `undefined`: it has no limit. */
export function partOf({ value, most }: Pick<Fact, 'value' | 'most'>): number | undefined {
  return typeof value === 'number' && most !== undefined && most > 0 ? value / most : undefined
}

/** From where on a bar stands out: there is room for little more. */
export function toneOf(part: number): 'neutral' | 'warning' | 'danger' {
  if (part >= 0.95) return 'danger'
  return part >= 0.8 ? 'warning' : 'neutral'
}
