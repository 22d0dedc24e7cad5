import { readEnvironment } from '../../config/env.js'
import { checkId } from '../../control/filter.js'
import type { JobLogLine } from '../../job/event.js'
import type { Job, PastAttempt } from '../../job/job.js'
import type { Store } from '../../store/store.js'
import { type CommonFlags, exitCodes, exitWith, note, paint, print, wholeNumber } from '../kit.js'
import { withStore } from '../open.js'
import { duration, moment, oneLine } from './columns.js'
import { toShown } from './shown.js'

export interface ShowFlags extends CommonFlags {
  readonly logs?: string | boolean
}

const defaultLogs = 1000

/** Everything that is known of a job. */
export async function showJob(id: string, flags: ShowFlags): Promise<void> {
  checkId(id)
  const lines =
    flags.logs === undefined
      ? 0
      : flags.logs === true
        ? defaultLogs
        : wholeNumber(String(flags.logs), '--logs')
  await withStore(flags, async (store, { values }) => {
    const job = await store.find(id)
    if (!job) {
      note(`There is no job ${id}. It may have been deleted: finished jobs go after a while (see "retain").`)
      return exitWith(exitCodes.unknown)
    }
    const logs = lines === 0 ? [] : await store.listLogs(id, 0, lines)
    const worker = await nameOf(store, job)
    if (flags.json) return print(toShown(job, values, { ...(lines > 0 ? { logs } : {}), worker }))
    const { isTerminal } = readEnvironment()
    print(
      tell(job, {
        isTerminal,
        now: new Date(),
        worker,
        toJson: (value) => pretty(values.toShownJson(value)),
      }),
    )
    if (lines > 0) print(section('logs', logs.map(toLine).join('\n') || 'It has logged nothing.'))
  })
}

async function nameOf(store: Store, { workerId }: Job): Promise<string | null> {
  if (workerId === null) return null
  return (await store.workerNames([workerId])).get(workerId) ?? workerId
}

interface Telling {
  readonly isTerminal: boolean
  readonly now: Date
  readonly worker: string | null
  readonly toJson: (value: unknown) => string
}

function tell(job: Job, telling: Telling): string {
  const { toJson } = telling
  const { payload, result, resultError, error, progress, context, options, attempts } = job
  return [
    facts(job, telling),
    section('payload', toJson(payload)),
    ...(progress === undefined ? [] : [section('progress', toJson(progress))]),
    ...(result === undefined ? [] : [section('result', toJson(result))]),
    ...(resultError === null ? [] : [section('result', `not kept: ${resultError}`)]),
    ...(error ? [section('error', plain(error.stack ?? `${error.name}: ${error.message}`))] : []),
    ...(attempts.length === 0 ? [] : [section('past attempts', attempts.map(toAttempt).join('\n'))]),
    ...(context === null ? [] : [section('context', toJson(context))]),
    ...(Object.keys(options).length === 0 ? [] : [section('options', toJson(options))]),
  ].join('\n')
}

function facts(job: Job, telling: Telling): string {
  const time = (date: Date | null) => moment(date, telling)
  const lines: readonly (readonly [name: string, value: string | null])[] = [
    ['id', job.id],
    ['task', job.task],
    ['state', job.state],
    ['queue', job.queue],
    ['priority', String(job.priority)],
    ['attempt', `${job.attempt}, ${job.failures} of ${job.maxAttempts} failed`],
    ['worker', telling.worker],
    ['owner', job.owner],
    ['tags', job.tags.join(', ') || null],
    ['parent', job.parentId],
    ['request', job.requestId],
    ['trace', job.traceparent],
    ['key', job.idempotencyKey],
    ['limited by', job.limitKey === '' ? 'its task or queue' : job.limitKey],
    ['created', time(job.createdAt)],
    ['due', time(job.runAt)],
    ['too late', job.expiresAt && time(job.expiresAt)],
    ['started', job.startedAt && time(job.startedAt)],
    ['ended', job.finishedAt && time(job.finishedAt)],
    ['took', job.startedAt && duration(job, telling)],
    ['cancelled', cancelOf(job, time)],
  ]
  return lines
    .flatMap(([name, value]) => (value === null ? [] : [`${name.padEnd(11)} ${oneLine(value)}`]))
    .join('\n')
}

function cancelOf({ cancelRequestedAt, cancelledBy, cancelReason }: Job, time: (date: Date) => string) {
  if (cancelRequestedAt === null) return null
  return `${time(cancelRequestedAt)}${cancelledBy === null ? '' : ` by ${cancelledBy}`}${cancelReason === null ? '' : `: ${cancelReason}`}`
}

function toAttempt({ number, outcome, startedAt, finishedAt, error }: PastAttempt): string {
  const why = error ? `  ${oneLine(`${error.name}: ${error.message}`)}` : ''
  return `${number}  ${outcome}  ${startedAt ?? '-'} to ${finishedAt}${why}`
}

function toLine({ at, level, attempt, message, details }: JobLogLine): string {
  const more = details === undefined || details === null ? '' : ` ${oneLine(JSON.stringify(details))}`
  return `${at}  ${level.padEnd(5)} ${attempt}  ${oneLine(message)}${more}`
}

function section(name: string, text: string): string {
  return `\n${paint('bold', name)}\n${text}`
}

function pretty(json: string): string {
  return plain(JSON.stringify(JSON.parse(json), null, 2))
}

/** What steers a terminal is no text. */
function plain(text: string): string {
  return text.replace(/[^\P{Cc}\n\t]/gu, '\ufffd')
}
