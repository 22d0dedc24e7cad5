import { type JobLogLevel, logLevels } from '../job/event.js'
import { checkBoolean, checkKeys, checkPositiveInteger, wrong } from '../task/check.js'
import type { LogsConfig } from '../worker/job-logs.js'
import type { KeptLogsOptions } from './options.js'

/** What is kept of what handlers log, and whether it is shown. */
export interface KeptLogs extends LogsConfig {
  readonly public: boolean
}

export const logsDefaults: KeptLogs = Object.freeze({ level: 'info', lines: 1000, public: true })

/** Each attempt has numbers for a million. */
const mostLines = 100_000
const names = ['level', 'lines', 'public'] satisfies (keyof KeptLogsOptions)[]

/** `null`: nothing is kept. */
export function checkLogs(value: unknown, where: string): KeptLogs | null {
  if (value === false) return null
  if (value === true) return logsDefaults
  checkKeys(value, names, where)
  const { level, lines, public: isPublic } = value
  return Object.freeze({
    level: level === undefined ? logsDefaults.level : checkLevel(level, `${where}.level`),
    lines: lines === undefined ? logsDefaults.lines : checkLines(lines, `${where}.lines`),
    public: isPublic === undefined ? logsDefaults.public : checkBoolean(isPublic, `${where}.public`),
  })
}

function checkLevel(value: unknown, where: string): JobLogLevel {
  const level = logLevels.find((known) => known === value)
  if (level) return level
  throw wrong(where, `one of ${logLevels.join(', ')}`, value)
}

function checkLines(value: unknown, where: string): number {
  const lines = checkPositiveInteger(value, where)
  if (lines <= mostLines) return lines
  throw wrong(where, `a whole number from 1 to ${mostLines}`, value)
}
