import { wrong } from '../task/check.js'

export function checkPort(value: unknown, where: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 65_535) return value
  throw wrong(where, 'a port: a whole number from 0 to 65535', value)
}
