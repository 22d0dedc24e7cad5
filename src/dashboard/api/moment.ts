import { ConfigError } from '../../errors.js'
import { toMs } from '../../job/duration.js'

/**
 * A moment of an address: ISO text, or so long ago.
 * @throws {ConfigError} when it is neither
 */
export function toMoment(text: string, where: string): Date {
  const ms = toMs(text)
  const moment =
    ms === undefined ? new Date(/^\d{4}-\d{2}/.test(text) ? text : Number.NaN) : new Date(Date.now() - ms)
  if (!Number.isNaN(moment.getTime())) return moment
  throw new ConfigError(`${where} must be a time such as 2030-01-31T08:00:00Z, or so long ago: "1h".`)
}
