import { v7 as uuidv7 } from 'uuid'
import { UnknownWorkerError } from '../errors.js'
import type { Duration } from '../job/duration.js'
import { suggest } from '../job/suggest.js'
import type { LiveWorker, Reply, Store } from '../store/store.js'
import { checkDuration, checkKeys, checkText } from '../task/check.js'
import { answerWithin, rest } from '../waiting.js'
import { type ArgsOf, type ReplyOf, type Verb, verbs } from './verbs.js'

/** How to ask. */
export interface AskOptions {
  /** Names or ids of workers; `*` in a name stands for any characters. Default: all that live. */
  readonly workers?: string | readonly string[]
  /** How long to wait for replies; who has not heard of the command by then never does it. Default 3 s. */
  readonly deadline?: Duration
  /** Who asks. It is kept. */
  readonly by?: string | null
  /** From where: kept as well. Default `code`. */
  readonly from?: string
}

/** What came of a command. Nobody is left out: a worker is in `replies`, in `refused` or in `silent`. */
export interface Answer<Value> {
  /** Of the command; its row stays as the audit of who asked for what. */
  readonly command: string
  readonly replies: readonly WorkerReply<Value>[]
  /** Those that could not do it, and why. */
  readonly refused: readonly WorkerRefusal[]
  /** Those that did not reply within the deadline. What was asked of them is not done later; what was set holds. */
  readonly silent: readonly AskedWorker[]
}

export interface AskedWorker {
  readonly id: string
  readonly name: string
}

export interface WorkerReply<Value> {
  readonly worker: AskedWorker
  readonly value: Value
}

export interface WorkerRefusal {
  readonly worker: AskedWorker
  readonly reason: string
}

/** The one way to workers, whoever asks from wherever. */
export interface Door {
  /**
   * @throws {UnknownWorkerError} when `workers` names one that does not live
   * @throws {StoreUnavailableError} when the store is away
   */
  ask<V extends Verb>(verb: V, args: ArgsOf<V>, options?: AskOptions): Promise<Answer<ReplyOf<V>>>
  /** Those that these options mean. */
  targets(options?: AskOptions): Promise<readonly LiveWorker[]>
}

export type DoorStore = Pick<Store, 'liveWorkers' | 'addCommand' | 'repliesTo' | 'onReply'>

const defaultDeadlineMs = 3000
/** Replies are announced; one whose announcement was lost is found by looking. */
const netMs = 500
const optionNames = ['workers', 'deadline', 'by', 'from'] as const

export function createDoor(store: () => Promise<DoorStore>): Door {
  let last: Promise<unknown> = Promise.resolve()
  return { ask, targets }

  async function ask<V extends Verb>(
    verb: V,
    args: ArgsOf<V>,
    options: AskOptions = {},
  ): Promise<Answer<ReplyOf<V>>> {
    const deadlineMs = checkAsk(options)
    const found = targets(options)
    found.catch(() => {})
    const { command, asked, replies } = await inTurn(() => write(verb, args, options, found, deadlineMs))
    try {
      return toAnswer(command, asked, await replies.within(deadlineMs))
    } finally {
      replies.close()
    }
  }

  /** Workers do commands in the order of their ids, so a process writes them in the order in which it was called. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = last.then(work)
    last = done.catch(() => {})
    return done
  }

  async function write<V extends Verb>(
    verb: V,
    args: ArgsOf<V>,
    { by = null, from = 'code' }: AskOptions,
    found: Promise<readonly LiveWorker[]>,
    expiresInMs: number,
  ) {
    const asked = await found
    const opened = await store()
    const command = uuidv7()
    const replies = watchReplies(opened, command, asked.length)
    const workers = asked.map(({ id }) => id)
    const row = { id: command, verb, args: JSON.stringify(args), workers, askedBy: by, askedFrom: from }
    try {
      await opened.addCommand({ ...row, expiresInMs, isQuestion: verbs[verb] === 'question' })
    } catch (error) {
      replies.close()
      throw error
    }
    return { command, asked, replies }
  }

  async function targets({ workers }: AskOptions = {}): Promise<readonly LiveWorker[]> {
    const live = await (await store()).liveWorkers()
    if (workers === undefined) return live
    const wanted = typeof workers === 'string' ? [workers] : workers
    const found = new Set(wanted.flatMap((each) => matching(live, each)))
    return live.filter((worker) => found.has(worker))
  }
}

/** @throws {ConfigError} when an option is unknown or wrong. Gives the deadline. */
function checkAsk(options: AskOptions): number {
  checkKeys(options, optionNames, 'The options of a command')
  if (options.by !== undefined && options.by !== null) checkText(options.by, '"by"')
  return options.deadline === undefined ? defaultDeadlineMs : checkDuration(options.deadline, '"deadline"', 1)
}

function matching(live: readonly LiveWorker[], wanted: string): LiveWorker[] {
  const parts = wanted.split('*')
  const found = live.filter(({ id, name }) => id === wanted || fits(name, parts))
  if (found.length > 0) return found
  const names = [...new Set(live.map(({ name }) => name))]
  throw new UnknownWorkerError(wanted, names, suggest(wanted, names))
}

/** Whether a name begins with the first part, ends with the last, and has the others between them in their order. */
function fits(name: string, parts: readonly string[]): boolean {
  const [first = '', ...rest] = parts
  const last = rest.pop()
  if (last === undefined) return name === first
  if (!name.startsWith(first) || !name.endsWith(last)) return false
  let at = first.length
  for (const part of rest) {
    const found = name.indexOf(part, at)
    if (found === -1) return false
    at = found + part.length
  }
  return at <= name.length - last.length
}

/** Begins to listen at once, so that no reply comes before it. */
function watchReplies(store: DoorStore, command: string, expected: number) {
  let wake: () => void = () => {}
  const unlisten = store.onReply((id) => {
    if (id === undefined || id === command) wake()
  })
  return { within: collect, close: unlisten }

  async function collect(deadlineMs: number): Promise<readonly Reply[]> {
    const until = performance.now() + deadlineMs
    for (;;) {
      const heard = new Promise<void>((resolve) => {
        wake = resolve
      })
      const replies = expected === 0 ? [] : await repliesBy(until)
      const leftMs = until - performance.now()
      if (replies.length >= expected || leftMs <= 0) return replies
      await Promise.race([heard, rest(Math.min(netMs, leftMs))])
    }
  }

  /** The deadline holds, too, where the store has gone away meanwhile: what is known by then is the answer. */
  function repliesBy(until: number): Promise<readonly Reply[]> {
    const leftMs = Math.max(netMs, until - performance.now())
    return answerWithin(leftMs, store.repliesTo(command)).catch(() => [])
  }
}

function toAnswer<Value>(
  command: string,
  asked: readonly LiveWorker[],
  replies: readonly Reply[],
): Answer<Value> {
  const byWorker = new Map(replies.map((reply) => [reply.workerId, reply]))
  const found = asked.map(({ id, name }) => ({ worker: { id, name }, reply: byWorker.get(id) }))
  return {
    command,
    replies: found.flatMap(({ worker, reply }) =>
      reply?.ok ? [{ worker, value: JSON.parse(reply.value) as Value }] : [],
    ),
    refused: found.flatMap(({ worker, reply }) =>
      reply && !reply.ok ? [{ worker, reason: String(JSON.parse(reply.value)) }] : [],
    ),
    silent: found.flatMap(({ worker, reply }) => (reply ? [] : [worker])),
  }
}
