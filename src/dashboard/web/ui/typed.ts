import { toMs } from '../../../job/duration.js'

/** Whether two texts say the same names: what stands around commas says nothing. */
export function saysSame(one: string, other: string): boolean {
  return namesIn(one).join() === namesIn(other).join()
}

/** Several by commas, as a link may have them. */
export function namesIn(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

/** Whether it is a duration, and not only the beginning of one, or nothing at all. */
export function isWholeDuration(text: string): boolean {
  return text === '' || toMs(text) !== undefined
}
