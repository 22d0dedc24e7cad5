import type { Command } from 'commander'
import { type ClusterEvent, type ClusterEventName, clusterEventNames } from '../control/sightings.js'
import { ConfigError } from '../errors.js'
import { type Duration, tellMs, toMs } from '../job/duration.js'
import { hint } from '../job/suggest.js'
import { type CommonFlags, common, list, note, paint, print, printJson } from './kit.js'

interface EventsFlags extends CommonFlags {
  readonly task?: readonly string[]
  readonly queue?: readonly string[]
  readonly type?: readonly string[]
  readonly since?: string
  readonly for?: string
}

export function addEvents(program: Command): void {
  common(program.command('events'))
    .description('Show what happens to jobs and workers, anywhere, as it happens.')
    .option('--task <names>', 'of these tasks only; mail.* are all that begin so', list)
    .option('--queue <names>', 'of these queues only', list)
    .option('--type <names>', 'of these kinds only, as failed or worker.lost', list)
    .option('--since <when>', 'begin in the past: a duration such as 10m, or a time')
    .option('--for <duration>', 'end by itself after so long')
    .addHelpText('after', help)
    .action(events)
}

const help = `
Kinds: ${clusterEventNames.join(', ')}.
Each end is shown exactly once, within about two seconds. It goes on by itself when the store was away.

Example:
  celeriac events --type failed,lost --task 'mail.*'
  celeriac events --json --since 10m | jq 'select(.ms > 1000)'`

async function events(flags: EventsFlags): Promise<void> {
  const { withStore } = await import('./open.js')
  const { watchCluster } = await import('../control/cluster-events.js')
  const isWanted = filterOf(flags)
  const since = sinceOf(flags.since)
  const forMs = flags.for === undefined ? undefined : durationOf(flags.for, '--for')
  const stopping = stopSignal(forMs)
  await withStore(flags, async (store) => {
    const watch = watchCluster(store, { ...(since && { since }), signal: stopping, onTrouble })
    for await (const found of watch)
      for (const event of found) {
        if (!isWanted(event)) continue
        if (flags.json) printJson(event)
        else print(line(event))
      }
  })
}

function onTrouble(error: unknown): void {
  if (error === undefined) note('The store is back. Here is what was missed.')
  else note(`${error instanceof Error ? error.message : String(error)} Waiting for it.`)
}

/** Whoever reads may have enough: that is no fault. */
function stopSignal(forMs: number | undefined): AbortSignal {
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stopping.abort())
  process.stdout.on('error', () => process.exit(0))
  if (forMs !== undefined) setTimeout(() => stopping.abort(), forMs).unref()
  return stopping.signal
}

function filterOf({ task, queue, type }: EventsFlags): (event: ClusterEvent) => boolean {
  const types = type?.map(toType)
  const tasks = task?.map(toPattern)
  return (event) =>
    (types === undefined || types.includes(event.type)) &&
    (tasks === undefined || tasks.some((fits) => event.job !== undefined && fits(event.job.task))) &&
    (queue === undefined || queuesOf(event).some((name) => queue.includes(name)))
}

function queuesOf({ job, queues }: ClusterEvent): readonly string[] {
  return job ? [job.queue] : (queues ?? [])
}

function toPattern(text: string): (name: string) => boolean {
  if (!text.endsWith('*')) return (name) => name === text
  const start = text.slice(0, -1)
  return (name) => name.startsWith(start)
}

/** `failed` is `job.failed`. */
function toType(text: string): ClusterEventName {
  const found = clusterEventNames.find((name) => name === text || name === `job.${text}`)
  if (found) return found
  throw new ConfigError(
    `There is no event "${text}".${hint(text, clusterEventNames)} Known: ${clusterEventNames.join(', ')}.`,
  )
}

function sinceOf(text: string | undefined): ((now: Date) => Date) | undefined {
  if (text === undefined) return undefined
  const ms = toMs(text as Duration)
  if (ms !== undefined) return (now) => new Date(now.getTime() - ms)
  const time = new Date(text)
  if (!Number.isNaN(time.getTime())) return () => time
  throw new ConfigError(
    `--since takes a duration, as 10m, or a time, as 2030-01-31T08:00:00Z, and got "${text}".`,
  )
}

function durationOf(text: string, flag: string): number {
  const ms = toMs(text as Duration)
  if (ms !== undefined) return ms
  throw new ConfigError(`${flag} takes a duration, as 30s or 5m, and got "${text}".`)
}

const colours: Partial<Record<ClusterEventName, 'green' | 'red' | 'yellow' | 'cyan'>> = {
  'job.succeeded': 'green',
  'job.failed': 'red',
  'worker.lost': 'red',
  'job.lost': 'red',
  'job.retrying': 'yellow',
  'job.cancelled': 'yellow',
  'job.expired': 'yellow',
  'worker.started': 'cyan',
  'worker.stopped': 'cyan',
  'command.asked': 'cyan',
}

const widestType = Math.max(...clusterEventNames.map((name) => name.length))

function line(event: ClusterEvent): string {
  const { type, at, job } = event
  const colour = colours[type]
  const name = type.padEnd(widestType)
  const about = job ? `${job.id} ${job.task}` : (event.worker?.name ?? event.verb ?? '')
  return [at.toISOString(), colour ? paint(colour, name) : name, about, ...details(event)].join('  ')
}

function details({ job, worker, attempt, ms, error, runAt, by, reason, ...rest }: ClusterEvent): string[] {
  return [
    ...(job ? [`queue ${job.queue}`] : []),
    ...(attempt ? [`attempt ${attempt}`] : []),
    ...(job && worker ? [`on ${worker.name}`] : []),
    ...(ms === undefined ? [] : [`after ${tellMs(ms)}`]),
    ...(runAt ? [`due ${runAt.toISOString()}`] : []),
    ...(rest.queues ? [`queues ${rest.queues.join(',')}`] : []),
    ...(rest.args ? [JSON.stringify(rest.args)] : []),
    ...(rest.workers === undefined ? [] : [`of ${rest.workers} workers, from ${rest.from}`]),
    ...(by === undefined ? [] : [`by ${by}`]),
    ...(reason === undefined ? [] : [oneLine(reason)]),
    ...(error ? [oneLine(`${error.name}: ${error.message}`)] : []),
  ]
}

const longestText = 200

/** What a task threw may span lines, and move the cursor of a terminal. */
function oneLine(text: string): string {
  const plain = text.replace(/\p{Cc}+/gu, ' ')
  return plain.length > longestText ? `${plain.slice(0, longestText)}…` : plain
}
