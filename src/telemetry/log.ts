import { type Logger, pino } from 'pino'
import pretty from 'pino-pretty'
import { withoutPasswords } from '../job/address.js'
import type { JobLogLevel } from '../job/event.js'
import { isError } from '../job/json.js'
import { type Hide, toPlainLine } from '../job/log-line.js'

export type { Logger } from 'pino'

export const logLevelNames = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const
export type LogLevel = (typeof logLevelNames)[number]

/**
 * Our own logger: lines for people on a terminal, JSON elsewhere. In this process, so that a bundle can carry it. Passwords
 * in the addresses that a line quotes are masked, wherever in it they stand.
 */
export function createLog(level: string, isTerminal: boolean): Logger {
  const options = { name: 'celeriac', level, hooks: { streamWrite: withoutPasswords } }
  if (!isTerminal) return pino({ ...options, base: { name: 'celeriac', pid: process.pid } })
  return pino(options, pretty({ ignore: 'pid,hostname,name', translateTime: 'SYS:HH:MM:ss.l', sync: true }))
}

/** Of a command whose answer stands on standard output: lines for people, on standard error. */
export function createCommandLog(level: string): Logger {
  const options = { name: 'celeriac', level, hooks: { streamWrite: withoutPasswords } }
  const isTerminal = process.stderr.isTTY === true
  return pino(
    options,
    pretty({
      ...{ ignore: 'pid,hostname,name', translateTime: 'SYS:HH:MM:ss.l', sync: true },
      ...{ destination: 2, colorize: isTerminal },
    }),
  )
}

/** What lines of a handler carry. */
export interface JobFacts {
  readonly id: string
  readonly task: string
  readonly attempt: number
  readonly requestId: string | null
  /** Of its attempt's span, where spans are made; else of the request. */
  readonly traceparent: string | null
}

type LogMethod = (...args: unknown[]) => void
type JobLog = Readonly<Record<JobLogLevel, LogMethod>>
/** Keeps a line with its job. Never throws. */
export type KeepLine = (level: JobLogLevel, details: unknown, message?: unknown) => void

/**
 * A log for one attempt. The child logger is made at its first line: most attempts write none; and anew when the level was
 * changed meanwhile, because pino's children keep the one that they began with.
 *
 * @param hide takes out of details what nobody is to see
 */
export function createJobLog(log: Logger, facts: JobFacts, keep?: KeepLine, hide?: Hide): JobLog {
  let child: Logger | undefined
  let level: string | undefined
  const write = (lineLevel: JobLogLevel) => (details: unknown, message?: unknown) => {
    keep?.(lineLevel, details, message)
    const to = current()
    try {
      const shown = toShown(details, hide)
      if (message === undefined) to[lineLevel](shown)
      else to[lineLevel](shown, withoutPasswords(String(message)))
    } catch {
      // What cannot be read is no reason to fail the work.
      to[lineLevel](toPlainLine(details, message).message)
    }
  }
  return {
    trace: write('trace'),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
  }

  function current(): Logger {
    if (child && level === log.level) return child
    level = log.level
    child = log.child(bindingsOf(facts))
    return child
  }
}

function bindingsOf({ id, task, attempt, requestId, traceparent }: JobFacts): object {
  return {
    ...{ job: id, task, attempt },
    ...(requestId === null ? {} : { requestId }),
    ...(traceparent === null ? {} : { traceId: traceparent.slice(3, 35) }),
  }
}

/** As it is kept, so it is logged. The details of errors are pino's to write. */
function toShown(details: unknown, hide: Hide | undefined): unknown {
  if (typeof details === 'string') return withoutPasswords(details)
  if (!hide || typeof details !== 'object' || details === null || isError(details)) return details
  return hide(details)
}
