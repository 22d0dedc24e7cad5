import { CeleriacError, ConfigError } from '../errors.js'
import type { AskedCommand, Store } from '../store/store.js'
import { type ArgsOf, isVerb, type ReplyOf, type Verb } from './verbs.js'

/** What does what a verb says, in the process that is asked. What it throws is told to whoever asked. */
export type Responses = {
  readonly [V in Verb]: (args: ArgsOf<V>) => ReplyOf<V> | Promise<ReplyOf<V>>
}

export interface ResponderDeps {
  readonly store: Pick<Store, 'commandsFor' | 'addReply' | 'onCommand'>
  /** Empty while the worker has no lease. */
  readonly workerId: () => string
  readonly responses: Partial<Responses>
  readonly log: { info(message: string): void; warn(message: string): void }
  /** How often it looks, whatever is announced. Default 5 s. */
  readonly netMs?: number
}

/** Does what a worker is asked, once each, in the order in which it was asked. */
export interface Responder {
  /** Resolves when nothing is under way. */
  close(): Promise<void>
}

export function createResponder(deps: ResponderDeps): Responder {
  const { store, workerId, responses, log, netMs = 5000 } = deps
  /** Done or under way: a reply may not have been written yet when the next look comes. */
  const seen = new Set<string>()
  let looking: Promise<void> | undefined
  let again = false
  let isClosed = false
  const unlisten = store.onCommand(look)
  const net = setInterval(look, netMs)
  net.unref()

  return {
    async close() {
      isClosed = true
      unlisten()
      clearInterval(net)
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
      // A store that is away is told of by others, and is looked at again by the net.
      const commands = await store.commandsFor(me).catch(() => [])
      for (const command of commands) if (!seen.has(command.id)) await answer(command, me)
    }
  }

  async function answer(command: AskedCommand, me: string): Promise<void> {
    seen.add(command.id)
    const { ok, value } = await respond(command).catch((error: unknown) => ({
      ok: false,
      value: told(error),
    }))
    if (!ok) log.warn(`"${command.verb}" was asked by ${whoAsked(command)} and not done: ${value}`)
    const reply = { commandId: command.id, workerId: me, ok, value: JSON.stringify(value) }
    await store.addReply(reply).catch((error: unknown) => log.warn(`A reply was not written: ${told(error)}`))
  }

  async function respond(command: AskedCommand): Promise<{ ok: boolean; value: unknown }> {
    const { verb, args } = command
    const respondTo = isVerb(verb) ? responses[verb] : undefined
    if (!respondTo) throw new ConfigError(`This worker knows no "${verb}". Is its Celeriac older than yours?`)
    const value = await (respondTo as (args: unknown) => unknown)(JSON.parse(args))
    return { ok: true, value }
  }
}

function whoAsked({ askedBy, askedFrom }: AskedCommand): string {
  return `${askedBy ?? 'somebody'} (${askedFrom})`
}

function told(error: unknown): string {
  if (error instanceof CeleriacError) return error.message
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
