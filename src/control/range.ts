import { ConfigError } from '../errors.js'
import { checkInteger, checkKeys } from '../task/check.js'
import type { AutoscaleRange } from './verbs.js'

/** @throws {ConfigError} when it is no range of whole numbers from 1 */
export function checkRange(value: unknown, where: string): AutoscaleRange {
  checkKeys(value, ['min', 'max'], where)
  const min = checkInteger(value.min, 1, `"min" of ${where}`, 'a whole number from 1')
  const max = checkInteger(value.max, 1, `"max" of ${where}`, 'a whole number from 1')
  if (min > max) throw new ConfigError(`"min" of ${where} is ${min}, more than "max", ${max}.`)
  return Object.freeze({ min, max })
}
