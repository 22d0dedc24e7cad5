import { tellMs } from '../job/duration.js'
import { table } from './kit.js'

/** For people: `512 KB`, `48 MB`, `1.2 GB`. */
export function tellBytes(bytes: number): string {
  const [unit, size] = units.find(([, from]) => bytes >= from) ?? (['B', 1] as const)
  const amount = bytes / size
  return `${amount < 10 ? Math.round(amount * 10) / 10 : Math.round(amount)} ${unit}`
}

const units = [
  ['GB', 1024 ** 3],
  ['MB', 1024 ** 2],
  ['KB', 1024],
] as const

/** `3 s ago`, of two moments of one clock. */
export function tellAgo(from: Date, now: Date): string {
  return `${tellMs(Math.max(0, now.getTime() - from.getTime()))} ago`
}

/** A table, or a sentence where there are no rows. */
export function tableOr(head: readonly string[], rows: readonly (readonly string[])[], none: string): string {
  return rows.length === 0 ? none : table([head, ...rows])
}

/** `1 job`, `3 jobs`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`
}
