import type { Command } from 'commander'
import type { ClusterStatus, QueueStatus, WorkerStatus } from '../control/status.js'
import { tellMs } from '../job/duration.js'
import { sleep } from '../waiting.js'
import { toTime } from './amounts.js'
import { type CommonFlags, common, exitCodes, exitWith, paint, print, printJson } from './kit.js'
import { tableOr } from './show.js'

interface StatusFlags extends CommonFlags {
  readonly wait?: string
}

export function addStatus(program: Command): void {
  common(program.command('status'))
    .description('How everything is: servers, workers and queues, and what is wrong, each with its cure.')
    .option('--wait <duration>', 'ask again until all is well, so long at most; a number alone is seconds')
    .addHelpText(
      'after',
      `
Exits with 0 when all is well and a worker is running, else with 3. Neither tasks nor workers need to be loaded or awake.

Example:
  celeriac status --wait 30s`,
    )
    .action(status)
}

/** Between two looks of `--wait`. */
const everyMs = 1000

async function status(flags: StatusFlags): Promise<void> {
  const waitMs = flags.wait === undefined ? 0 : toTime(flags.wait, '--wait')
  const { withBareApp } = await import('./open.js')
  await withBareApp(flags, async (app) => {
    const until = performance.now() + waitMs
    let found = await app.status()
    while (!isWell(found) && performance.now() < until) {
      await sleep(everyMs)
      found = await app.status()
    }
    if (flags.json) printJson(found)
    else print(tell(found))
    exitWith(isWell(found) ? exitCodes.done : exitCodes.no)
  })
}

function isWell(found: ClusterStatus): boolean {
  return found.status === 'ok' && found.workers.some(isUp)
}

/** One that was lost, or is silent, runs nothing. */
function isUp({ state }: WorkerStatus): boolean {
  return state !== 'lost' && state !== 'silent'
}

const styles = { ok: 'green', degraded: 'yellow', down: 'red' } as const

function tell(found: ClusterStatus): string {
  const { problems, store, broker, workers, queues } = found
  const parts = [
    `${paint(styles[found.status], found.status)}: store ${store}, broker ${broker}, ${workerCount(found)}`,
    ...(workers.length === 0 ? [] : [tableOr(workerHead, workers.map(toWorkerRow), '')]),
    ...(queues.length === 0 ? [] : [tableOr(queueHead, queues.map(toQueueRow), '')]),
    ...(problems.length === 0
      ? []
      : [problems.map(({ message, cure }) => `${paint('red', '!')} ${message}\n  ${cure}`).join('\n')]),
    ...(store === 'up' && !workers.some(isUp) ? [noWorker] : []),
  ]
  return parts.join('\n\n')
}

const noWorker = 'No worker is running: what is enqueued waits. Run: npx celeriac worker'

function workerCount({ store, workers }: ClusterStatus): string {
  if (store === 'down') return 'workers unknown'
  const up = workers.filter(isUp).length
  return up === 1 ? '1 worker' : `${up} workers`
}

const workerHead = ['worker', 'state', 'running', 'queues', 'up', 'seen', 'process']

function toWorkerRow({
  name,
  state,
  running,
  concurrency,
  queues,
  startedAt,
  seenMs,
  pid,
  host,
}: WorkerStatus) {
  return [
    ...[name, state, `${running ?? '?'}/${concurrency}`, queues.join(', ')],
    ...[tellMs(Math.max(0, Date.now() - startedAt.getTime())), `${tellMs(Math.max(0, seenMs))} ago`],
    `${pid} on ${host}`,
  ]
}

const queueHead = ['queue', 'waiting', 'oldest', 'served by']

function toQueueRow({ queue, waiting, ageMs, servedBy, isPaused }: QueueStatus): string[] {
  const paused = isPaused ? 'paused' : ''
  return [
    ...[queue, String(waiting), ageMs === null ? '-' : tellMs(Math.max(0, ageMs))],
    [paused, servedBy.join(', ')].filter((each) => each !== '').join('; ') || 'nobody',
  ]
}
