import type { JobLogLevel } from '../../../../job/event.js'
import type { LogLine } from '../../../api/contract.js'
import type { Json } from '../../api/json.js'

export type Line = Json<LogLine>

/** Lines that came by different ways, each once and in order. */
export function mergeLines(earlier: readonly Line[], later: readonly Line[]): readonly Line[] {
  const [last] = earlier.slice(-1)
  const [first] = later
  if (!last || !first) return earlier.length === 0 ? later : earlier
  if (last.number < first.number) return [...earlier, ...later]
  const byNumber = new Map([...earlier, ...later].map((line) => [line.number, line]))
  return [...byNumber.values()].sort((one, other) => one.number - other.number)
}

export const levels = ['trace', 'debug', 'info', 'warn', 'error'] as const satisfies JobLogLevel[]

/** Of this level, or of one that says more. */
export function ofLevel(lines: readonly Line[], least: JobLogLevel): readonly Line[] {
  const from = levels.indexOf(least)
  return lines.filter(({ level }) => levels.indexOf(level) >= from)
}

/** As a file has it: `2026-11-29T10:00:00.000Z info  #1 page 3 is laid out {"page":3}`. */
export function toLogText(lines: readonly Line[]): string {
  return lines
    .map(({ at, level, attempt, message, details }) =>
      [
        at,
        level.padEnd(5),
        `#${attempt}`,
        message,
        ...(details === undefined ? [] : [JSON.stringify(details)]),
      ].join(' '),
    )
    .join('\n')
}
