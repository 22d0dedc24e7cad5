import type { Command } from 'commander'
import { validate as isUuid } from 'uuid'
import { createWatcher } from '../enqueue/watch.js'
import { printEnd } from './ended.js'
import { type CommonFlags, common, exitCodes, exitWith, note, printJson } from './kit.js'
import { type Wait, waitMs, waitUntil } from './wait.js'

interface ResultFlags extends CommonFlags {
  readonly wait?: Wait
  readonly stack?: boolean
}

export function addResult(program: Command): void {
  common(program.command('result'))
    .description('Print the result of a job, as JSON, or why there is none.')
    .argument('<id>', 'id of a job')
    .option('--wait [duration]', 'wait for its end; without a duration, however long it takes')
    .option('--stack', 'the stack of the error as well')
    .addHelpText('after', help)
    .action(result)
}

const help = `
Exits with 0 when it has succeeded, 3 when it failed, was cancelled or expired, 4 when there is no such job (at once,
also with --wait), 6 when it has not ended.

Example:
  celeriac result 01890a5d-ac96-774b-bcce-b302099a8057 --wait 30s | jq .url`

async function result(id: string, flags: ResultFlags): Promise<void> {
  const { withStore } = await import('./open.js')
  waitMs(flags.wait)
  await withStore(flags, async (store) => {
    const job = isUuid(id) ? await store.find(id) : undefined
    if (!job) return unknown(id, flags)
    if (job.finishedAt !== null || flags.wait === undefined) return printEnd(job, flags)
    const watcher = createWatcher(store)
    await waitUntil((ms) => watcher.ended(id, ms), flags.wait)
    const ended = await store.find(id)
    if (!ended) return unknown(id, flags)
    printEnd(ended, flags)
  })
}

function unknown(id: string, { json }: ResultFlags): void {
  exitWith(exitCodes.unknown)
  if (json) printJson({ id, state: null })
  else note(`No job has the id ${id}. It never was, or its row has been pruned.`)
}
