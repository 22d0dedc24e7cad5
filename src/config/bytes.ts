import { wrong } from '../task/check.js'

/** An amount of memory: bytes, or a text such as `'300MB'`, where 1 MB is 1024 KB. */
export type Bytes = number | `${number}${'KB' | 'MB' | 'GB'}`

const units: Readonly<Record<string, number>> = { KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 }

/** @throws {ConfigError} what is no amount of memory */
export function checkBytes(value: unknown, where: string): number {
  const bytes = typeof value === 'string' ? fromText(value) : value
  if (typeof bytes === 'number' && Number.isSafeInteger(bytes) && bytes > 0) return bytes
  throw wrong(where, "a whole number of bytes, or a text such as '300MB'", value)
}

function fromText(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)\s?([KMG]B)$/i.exec(text.trim()) ?? []
  const factor = units[unit.toUpperCase()]
  return factor === undefined ? undefined : Math.round(Number(number) * factor)
}
