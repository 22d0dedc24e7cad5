import { type Logger, pino } from 'pino'
import pretty from 'pino-pretty'
import type { JobLogLevel } from '../job/event.js'
import { toPlainLine } from '../job/log-line.js'

export type { Logger } from 'pino'

export const logLevelNames = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof logLevelNames)[number]

/** Our own logger: lines for people on a terminal, JSON elsewhere. In this process, so that a bundle can carry it. */
export function createLog(level: string, isTerminal: boolean): Logger {
  const options = { name: 'celeriac', level }
  if (!isTerminal) return pino({ ...options, base: { name: 'celeriac', pid: process.pid } })
  return pino(options, pretty({ ignore: 'pid,hostname,name', translateTime: 'SYS:HH:MM:ss.l', sync: true }))
}

/** What lines of a handler carry. */
export interface JobFacts {
  readonly id: string
  readonly task: string
  readonly attempt: number
  readonly requestId: string | null
}

type LogMethod = (...args: unknown[]) => void
type JobLog = Readonly<Record<JobLogLevel, LogMethod>>
/** Keeps a line with its job. Never throws. */
export type KeepLine = (level: JobLogLevel, details: unknown, message?: unknown) => void

/** A log for one attempt. The child logger is made at its first line: most attempts write none. */
export function createJobLog(
  log: Logger,
  { id, task, attempt, requestId }: JobFacts,
  keep?: KeepLine,
): JobLog {
  let child: Logger | undefined
  const write = (level: JobLogLevel) => (details: unknown, message?: unknown) => {
    keep?.(level, details, message)
    child ??= log.child({ job: id, task, attempt, ...(requestId === null ? {} : { requestId }) })
    try {
      if (message === undefined) child[level](details)
      else child[level](details, String(message))
    } catch {
      // What cannot be read is no reason to fail the work.
      child[level](toPlainLine(details, message).message)
    }
  }
  return {
    trace: write('trace'),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  }
}
