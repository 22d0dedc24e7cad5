import { type Command, Option } from 'commander'
import type { App } from '../app.js'
import { ConfigError } from '../errors.js'
import type { Duration } from '../job/duration.js'
import type { EnqueueOptions, JobHandle } from '../job/job.js'
import { printEnd } from './ended.js'
import {
  type CommonFlags,
  common,
  exitCodes,
  exitWith,
  list,
  note,
  print,
  printJson,
  wholeNumber,
} from './kit.js'
import { readPayload } from './payload.js'
import { type Wait, waitMs, waitUntil } from './wait.js'

interface CallFlags extends CommonFlags {
  readonly payload?: string
  readonly kwargs?: string
  readonly args?: string
  readonly delay?: string
  readonly countdown?: string
  readonly runAt?: string
  readonly eta?: string
  readonly expires?: string
  readonly queue?: string
  readonly priority?: string
  readonly attempts?: string
  readonly timeLimit?: string
  readonly idempotencyKey?: string
  readonly tag?: readonly string[]
  readonly owner?: string
  readonly wait?: Wait
  readonly stack?: boolean
}

export function addCall(program: Command): void {
  common(program.command('call'))
    .description('Enqueue a job by the name of its task. Prints its id, and with --wait its result instead.')
    .argument('<task>', 'name of a task, as celeriac tasks lists it')
    .option('--payload <json>', 'what the task is given; - reads it from standard input, @file from a file')
    .option('--delay <duration>', 'not before this much time has passed, as 30s or 2h')
    .option('--run-at <time>', 'not before this moment, as 2030-01-31T08:00:00Z')
    .option('--expires <duration>', 'too late to start after this much time')
    .option('--queue <name>', 'another queue than that of the task')
    .option('--priority <number>', '0 is first; larger waits longer')
    .option('--attempts <number>', 'failed attempts that end the job')
    .option('--time-limit <duration>', 'of each attempt')
    .option('--idempotency-key <key>', 'the same key again gives the same job')
    .option('--tag <name>', 'a tag; several by comma or repeated', list)
    .option('--owner <id>', 'who may see the job over HTTP (default: only management)')
    .option(
      '--wait [duration]',
      'wait for the end and print the result; without a duration, however long it takes',
    )
    .option('--stack', 'with --wait: the stack of the error as well')
    .addOption(
      new Option('--countdown <seconds>', "Celery's word for --delay, in seconds").conflicts('delay'),
    )
    .addOption(new Option('--eta <time>', "Celery's word for --run-at").conflicts('runAt'))
    .addOption(new Option('-k, --kwargs <json>', "Celery's word for --payload").conflicts('payload'))
    .addOption(new Option('-a, --args <json>', 'refused: a task takes one payload').hideHelp())
    .addHelpText('after', help)
    .action(call)
}

const help = `
The payload is checked by the task's schema where its code is here, and by the worker everywhere else.
Exits with 0 when the job is accepted (with --wait: has succeeded), 2 when the payload does not fit, 3 when the job
failed, was cancelled or expired, 4 when no such task is known, 6 when it has not ended within --wait.

Example:
  id=$(celeriac call reports.build --payload '{"month":"2030-01"}' --delay 10s)
  celeriac call reports.build --payload @month.json --wait 2m | jq .url`

async function call(task: string, flags: CallFlags): Promise<void> {
  const { withAppOrServers } = await import('./open.js')
  const options = toOptions(flags)
  waitMs(flags.wait)
  const payload = await readPayload(task, textOf(flags))
  await withAppOrServers(flags, async (app) => {
    await app.tasks()
    const job = await app.enqueue(task, payload, options)
    if (flags.wait === undefined) return tell(job, flags)
    note(job.id)
    await tellEnd(app, job, flags)
  })
}

function tell({ id, task, created }: JobHandle, { json }: CallFlags): void {
  if (json) printJson({ id, task, created })
  else print(id)
  if (!created) note('It was there before: the same idempotency key, or a job that its task keeps unique.')
}

async function tellEnd(app: App, { id }: JobHandle, flags: CallFlags): Promise<void> {
  await waitUntil((ms) => app.ended(id, ms), flags.wait)
  const job = await app.find(id)
  if (job) return printEnd(job, flags)
  note(`Job ${id} has ended, and its row is gone: the task keeps none (retain).`)
  exitWith(exitCodes.unknown)
}

function textOf({ payload, kwargs, args }: CallFlags): string | undefined {
  if (args === undefined) return payload ?? kwargs
  throw new ConfigError(
    `A task takes one payload, not a list of arguments: say --payload '${args}' if the task takes a list, else an object with names.`,
  )
}

function toOptions(flags: CallFlags): EnqueueOptions {
  const { delay, runAt, eta, expires, queue, priority, attempts, timeLimit, idempotencyKey, tag } = flags
  const { countdown, owner = null } = flags
  const time = runAt ?? eta
  return {
    owner,
    ...(delay === undefined ? {} : { delay: delay as Duration }),
    ...(countdown === undefined ? {} : { delay: seconds(countdown) }),
    ...(time === undefined ? {} : { runAt: moment(time, runAt === undefined ? '--eta' : '--run-at') }),
    ...(expires === undefined ? {} : { expiresIn: expires as Duration }),
    ...(queue === undefined ? {} : { queue }),
    ...(priority === undefined ? {} : { priority: wholeNumber(priority, '--priority', 0) }),
    ...(attempts === undefined ? {} : { attempts: wholeNumber(attempts, '--attempts') }),
    ...(timeLimit === undefined ? {} : { timeLimit: timeLimit as Duration }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
    ...(tag === undefined ? {} : { tags: tag }),
  }
}

/** Milliseconds. */
function seconds(text: string): number {
  const number = Number(text)
  if (/^\d+(\.\d+)?$/.test(text)) return number * 1000
  throw new ConfigError(`--countdown takes seconds, as 10, and got "${text}". --delay takes 10s or 5m.`)
}

function moment(text: string, flag: string): Date {
  const time = new Date(text)
  if (!Number.isNaN(time.getTime()) && /^\d{4}-\d{2}-\d{2}/.test(text)) return time
  throw new ConfigError(`${flag} takes a time such as 2030-01-31T08:00:00Z, and got "${text}".`)
}
