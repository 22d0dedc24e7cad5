import type { DashboardRole } from '../../control/access.js'
import type { Audit } from '../../control/audit.js'

/** Keeps who came, who did not get in and who left: in the log, and in the audit. */
export interface Book {
  /** @param subject who that is to the provider, whatever he calls himself there */
  came(visitor: Named & { readonly role: DashboardRole; readonly subject?: string }): void
  /** @param name `null` where it is none that is known: somebody may have typed his password there */
  failed(visitor: { readonly name: string | null; readonly address: string }, why: string): void
  /** Resolves when it is written: then no instance takes that session any more. */
  left(visitor: Named, session: string): Promise<void>
  /** Whether somebody has signed out of that session, here or at another instance. */
  hasLeft(session: string): Promise<boolean>
}

interface Named {
  readonly name: string
  readonly address: string
  readonly by: 'password' | 'openid'
}

export interface BookParts {
  readonly audit: Pick<Audit, 'note' | 'list'>
  readonly log: { info(message: string): void; warn(message: string): void }
  /** No session is older. */
  readonly sessionMs: number
  /** In milliseconds. */
  readonly now?: () => number
}

/** How soon an instance hears of who has signed out at another one. */
const freshMs = 3000
/** Clocks of two machines, and a line that is committed later than it is dated. */
const overlapMs = 60_000
const pageSize = 1000
/** What whoever guesses from many addresses may write into the audit. The log has all of it. */
const mostFailures = { count: 100, withinMs: 60_000 }

type Line = readonly [
  verb: 'login' | 'login-failed' | 'logout',
  args: object,
  by: string | null,
  address: string,
]

export function createBook({ audit, log, sessionMs, now = Date.now }: BookParts): Book {
  const ended = new Set<string>()
  /** All that was written until then is known. */
  let heardAt = Number.NEGATIVE_INFINITY
  let askedAt = Number.NEGATIVE_INFINITY
  let hearing: Promise<void> | undefined
  let failures: readonly number[] = []
  /** Lines of who has signed out while the store was away: other instances do not know. */
  let unwritten: readonly Line[] = []

  return {
    came({ name, address, by, role, subject }) {
      log.info(`${shown(name)} has signed in from ${address}, as ${role}.`)
      note('login', { by, role, ...(subject === undefined ? {} : { subject }) }, name, address)
    },
    failed({ name, address }, why) {
      log.warn(`A login failed: ${name === null ? 'somebody' : shown(name)} from ${address}: ${why}`)
      failures = [...failures.filter((at) => at > now() - mostFailures.withinMs), now()]
      if (failures.length <= mostFailures.count) note('login-failed', { why }, name, address)
    },
    async left({ name, address, by }, session) {
      ended.add(session)
      log.info(`${shown(name)} has signed out, from ${address}.`)
      const line: Line = ['logout', { by, session }, name, address]
      if (!(await write(...line))) unwritten = [...unwritten, line].slice(-pageSize)
    },
    async hasLeft(session) {
      if (ended.has(session)) return true
      if (!hearing && now() - askedAt > freshMs)
        hearing = hear().finally(() => {
          hearing = undefined
        })
      await hearing
      return ended.has(session)
    },
  }

  /** Nobody waits for it: who comes in while the store is away comes in. */
  function note(...line: Line): void {
    void write(...line)
  }

  async function writeRest(): Promise<void> {
    const rest = unwritten
    unwritten = []
    for (const line of rest) if (!(await write(...line))) unwritten = [...unwritten, line]
  }

  /** Whether it is written. */
  async function write(...[verb, args, by, address]: Line): Promise<boolean> {
    try {
      await audit.note(verb, args, { by, from: `http ${address}` })
      return true
    } catch (error) {
      log.warn(
        `The audit has no line of a ${verb}: ${error instanceof Error ? error.message : String(error)}`,
      )
      return false
    }
  }

  /** While the store is away there is nothing to see at the dashboard; what is known holds. */
  async function hear(): Promise<void> {
    const begunAt = now()
    askedAt = begunAt
    const since = new Date(Math.max(begunAt - sessionMs, heardAt - overlapMs))
    try {
      for (let before: string | undefined; ; ) {
        const lines = await audit.list({
          ...{ verb: 'logout', since, limit: pageSize },
          ...(before === undefined ? {} : { before }),
        })
        for (const { args } of lines) ended.add(sessionIn(args))
        before = lines.at(-1)?.id
        if (lines.length < pageSize || before === undefined) break
      }
      heardAt = begunAt
      await writeRest()
    } catch {
      // Said by whatever else asks the store.
    }
  }
}

function sessionIn(args: string): string {
  const read: unknown = JSON.parse(args)
  const session = typeof read === 'object' && read !== null && 'session' in read ? read.session : undefined
  return typeof session === 'string' ? session : ''
}

/** In a line of the log, whatever it holds. */
function shown(name: string): string {
  return JSON.stringify(name)
}
