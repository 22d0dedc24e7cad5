import { validate as isUuid } from 'uuid'
import { ConfigError } from '../../errors.js'
import { type ApiCall, toCount } from './call.js'
import { parsed } from './workers.js'

const usual = 100
const most = 1000

/** `GET /commands?limit=…&before=…`: who asked workers for what, newest first. */
export async function listCommands({ deps, query }: ApiCall) {
  query.only(['limit', 'before'])
  const limit = toCount(query.get('limit'), '"limit"', usual, most)
  const before = query.get('before')
  if (before !== undefined && !isUuid(before)) throw new ConfigError('"before" must be the id of a command.')
  const found = await deps.control.commands(limit, before)
  return {
    commands: found.map(({ args, outcome, ...command }) => ({
      ...command,
      args: parsed(args),
      outcome: parsed(outcome),
    })),
    /** For `before`, to read on. */
    next: found.length < limit ? null : (found.at(-1)?.id ?? null),
  }
}
