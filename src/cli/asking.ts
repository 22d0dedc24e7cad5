import type { Command } from 'commander'
import type { Answer, AskOptions, WorkerReply } from '../control/door.js'
import { tellMs } from '../job/duration.js'
import { toTime } from './amounts.js'
import {
  type CommonFlags,
  common,
  currentUser,
  exitCodes,
  exitWith,
  list,
  note,
  print,
  printJson,
} from './kit.js'

/** Flags of what is asked of workers. */
export interface AskFlags extends CommonFlags {
  readonly destination?: readonly string[]
  readonly timeout?: string
  readonly by?: string
}

const defaultTimeout = '3s'

/** Gives a command the flags of a question to workers. */
export function asking(command: Command): Command {
  return common(command)
    .option(
      '-d, --destination <workers>',
      'names or ids of workers, by comma; * for any characters (default: all)',
      list,
    )
    .option(
      '-t, --timeout <duration>',
      'how long to wait for replies; a number alone is seconds',
      defaultTimeout,
    )
    .option('--by <name>', 'who asks; kept with the command (default: user@host)')
}

/** @throws {ConfigError} when the timeout is no time */
export function toAskOptions({ destination, timeout = defaultTimeout, by }: AskFlags): AskOptions {
  return {
    ...(destination === undefined ? {} : { workers: destination }),
    deadline: toTime(timeout, '--timeout'),
    by: by ?? currentUser(),
    from: 'cli',
  }
}

export interface Telling<Value> {
  /** What the workers that replied have said, as text. */
  readonly show: (replies: readonly WorkerReply<Value>[]) => string
  /** Said where what was set holds without any worker. */
  readonly holds?: string
}

/** Prints what came of a question or an order, names those that refused or were silent, and sets the exit code. */
export function tellAnswer<Value>(
  answer: Answer<Value>,
  flags: AskFlags,
  { show, holds }: Telling<Value>,
): void {
  const { replies, refused, silent } = answer
  const isAnybodyThere = replies.length + refused.length + silent.length > 0
  if (flags.json) printJson(answer)
  else if (replies.length > 0) print(show(replies))
  else if (holds !== undefined) print(holds)
  for (const { worker, reason } of refused) note(`${worker.name} refused: ${reason}`)
  const waited = tellMs(toTime(flags.timeout ?? defaultTimeout, '--timeout'))
  for (const { name, id } of silent) note(`${name} (${id}) did not reply within ${waited}.`)
  if (!isAnybodyThere && holds === undefined) note('No worker is running.')
  if (refused.length > 0 || (!isAnybodyThere && holds === undefined)) exitWith(exitCodes.no)
  if (silent.length > 0) exitWith(exitCodes.silent)
}
