import { CeleriacError, ConfigError } from '../errors.js'
import type { AskedCommand, Store } from '../store/store.js'
import { type ArgsOf, isVerb, type ReplyOf, type Verb } from './verbs.js'

/** What does what a verb says, in the process that is asked. What it throws is told to whoever asked. */
export type Responses = {
  readonly [V in Verb]: (args: ArgsOf<V>, asked: Asked) => ReplyOf<V> | Promise<ReplyOf<V>>
}

/** Which command it is, and whose. */
export interface Asked {
  readonly command: string
  readonly by: string | null
  /** For people: `ann@host (cli)`. */
  readonly who: string
}

export interface ResponderDeps {
  readonly store: Pick<Store, 'commandsFor' | 'addReply' | 'onCommand'>
  /** Empty while the worker has no lease. */
  readonly workerId: () => string
  readonly responses: Responses
  readonly log: { warn(message: string): void }
}

/** Does what a worker is asked, once each, in the order in which it was asked, and never later than its deadline. */
export interface Responder {
  /** For who knows, or fears, that there is something: announcements may be lost. */
  look(): void
  /** Resolves when nothing is under way. */
  close(): Promise<void>
}

interface Response {
  readonly ok: boolean
  /** JSON text. */
  readonly value: string
}

export function createResponder(deps: ResponderDeps): Responder {
  const { store, workerId, responses, log } = deps
  /** Those whose reply could not be written. They are done, and must not be done again. */
  const unreplied = new Map<string, Response>()
  let looking: Promise<void> | undefined
  let again = false
  let isClosed = false
  const unlisten = store.onCommand(look)

  return {
    look,
    async close() {
      isClosed = true
      unlisten()
      await looking
    },
  }

  function look(): void {
    if (isClosed) return
    again = true
    looking ??= lookWhileAsked().finally(() => {
      looking = undefined
    })
  }

  async function lookWhileAsked(): Promise<void> {
    while (again && !isClosed) {
      again = false
      const me = workerId()
      if (me === '') return
      const askedAt = performance.now()
      // A store that is away is told of by others, and there is another look.
      for (const command of await store.commandsFor(me).catch(() => []))
        if (!isClosed) await answer(command, me, askedAt + command.leftMs)
    }
  }

  /** A process that stood still in the middle must not do, when it goes on, what nobody waits for any more. */
  async function answer(command: AskedCommand, me: string, deadline: number): Promise<void> {
    if (!unreplied.has(command.id) && performance.now() > deadline) return
    const response = unreplied.get(command.id) ?? (await respond(command))
    unreplied.set(command.id, response)
    try {
      await store.addReply({ commandId: command.id, workerId: me, ...response })
      unreplied.delete(command.id)
    } catch (error) {
      log.warn(`A reply to "${command.verb}" could not be written yet: ${told(error)}`)
    }
  }

  async function respond(command: AskedCommand): Promise<Response> {
    try {
      return { ok: true, value: JSON.stringify(await responseTo(command)) }
    } catch (error) {
      log.warn(`"${command.verb}" was asked by ${whoAsked(command)} and not done: ${told(error)}`)
      return { ok: false, value: JSON.stringify(told(error)) }
    }
  }

  async function responseTo(command: AskedCommand): Promise<unknown> {
    const { id, verb, args, askedBy } = command
    if (!isVerb(verb))
      throw new ConfigError(`This worker knows no "${verb}". Is its Celeriac older than yours?`)
    const respondTo = responses[verb] as (args: unknown, asked: Asked) => unknown
    return respondTo(JSON.parse(args), { command: id, by: askedBy, who: whoAsked(command) })
  }
}

function whoAsked({ askedBy, askedFrom }: AskedCommand): string {
  return `${askedBy ?? 'somebody'} (${askedFrom})`
}

function told(error: unknown): string {
  if (error instanceof CeleriacError) return error.message
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
