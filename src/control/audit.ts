import { validate as isUuid, v7 as uuidv7 } from 'uuid'
import { CeleriacError, ConfigError } from '../errors.js'
import type { Moment } from '../job/filter.js'
import type { Command, CommandQuery, Store } from '../store/store.js'
import { checkInteger, checkKeys, checkText } from '../task/check.js'
import { toMoment } from './filter.js'
import type { Asker } from './operations.js'

/**
 * Who did what, when, from where, to how many. Commands to workers and actions on many jobs have a line by themselves; what
 * else people do has one by `note` or `around`. No line ever holds a payload, a result or a password.
 */
export interface Audit {
  /** Writes a line: of what was done, or is about to be. Gives its id. @param args ids, names, filters, counts */
  note(verb: NotedVerb, args: object, asker?: Asker, affected?: number): Promise<string>
  /** Writes a line before `work` begins, and in it, once it is over, what came of it. */
  around<T>(noted: Noted, work: () => Promise<T>, toOutcome: (done: T) => NotedOutcome): Promise<T>
  /** Newest first. */
  list(query?: AuditQuery): Promise<Command[]>
  line(id: string): Promise<Command | undefined>
}

/** What people do besides, each by its name in the audit. */
export type NotedVerb =
  | 'enqueue'
  | 'retry-edited'
  | 'reveal'
  | 'export'
  | 'operation-stop'
  | 'operation-resume'
  | 'login'
  | 'login-failed'
  | 'logout'

export interface Noted {
  readonly verb: NotedVerb
  readonly args: object
  readonly asker: Asker
}

export interface NotedOutcome {
  readonly outcome: object
  /** Jobs that it was done to. */
  readonly affected: number
}

/** Which lines. All that is said must hold. */
export interface AuditQuery {
  /** 1 to 1000. Default 100. */
  readonly limit?: number
  /** Those before the one with this id. */
  readonly before?: string
  readonly verb?: string
  readonly by?: string
  /** All of it, or its first word: `http` is also `http 10.0.0.7`. */
  readonly from?: string
  readonly since?: Moment
  /** Questions to workers, too, which change nothing and are kept for a day. Default `false`. */
  readonly questions?: boolean
}

type AuditStore = Pick<Store, 'addCommand' | 'closeCommand' | 'commands' | 'command'>

const queryKeys = ['limit', 'before', 'verb', 'by', 'from', 'since', 'questions'] as const
const defaultLimit = 100
const largestLimit = 1000

export function createAudit(store: () => Promise<AuditStore>): Audit {
  return {
    async note(verb, args, asker = {}, affected) {
      return write(await store(), { verb, args, asker }, affected)
    },
    async around(noted, work, toOutcome) {
      const opened = await store()
      const id = await write(opened, noted)
      const close = ({ outcome, affected }: NotedOutcome) =>
        // It has happened, whether the line can be completed or not.
        opened.closeCommand(id, JSON.stringify(outcome), affected).catch(() => {})
      try {
        const done = await work()
        await close(toOutcome(done))
        return done
      } catch (error) {
        // Its message may quote values.
        await close({
          outcome: { error: error instanceof CeleriacError ? error.code : 'ERROR' },
          affected: 0,
        })
        throw error
      }
    },
    list: async (query = {}) => (await store()).commands(toCommandQuery(query)),
    line: async (id) => (isUuid(id) ? (await store()).command(id) : undefined),
  }
}

async function write(store: AuditStore, { verb, args, asker }: Noted, affected?: number): Promise<string> {
  const { by = null, from = 'code' } = asker
  if (by !== null) checkText(by, '"by"')
  const id = uuidv7()
  const line = {
    id,
    verb,
    args: JSON.stringify(args),
    workers: [],
    askedBy: by,
    askedFrom: checkText(from, '"from"'),
  }
  await store.addCommand({ ...line, expiresInMs: 0, ...(affected === undefined ? {} : { affected }) })
  return id
}

/** @throws {ConfigError} */
function toCommandQuery(query: AuditQuery): CommandQuery {
  checkKeys(query as unknown, queryKeys, 'A list of the audit')
  const { limit = defaultLimit, since, questions = false, before, ...said } = query
  const about = Object.entries(said).filter(([, value]) => value !== undefined)
  for (const [name, value] of about) checkText(value, `"${name}"`)
  return {
    ...Object.fromEntries(about),
    limit: Math.min(
      checkInteger(limit, 1, '"limit"', `a whole number from 1 to ${largestLimit}`),
      largestLimit,
    ),
    ...(before === undefined ? {} : { before: checkLine(before) }),
    ...(since === undefined ? {} : { since: toMoment(since, '"since"') }),
    changesOnly: !questions,
  }
}

function checkLine(id: string): string {
  if (isUuid(id)) return id
  throw new ConfigError('"before" must be the id of a line of the audit.')
}
