import { type Command, Option } from 'commander'
import { exportColumns } from '../control/export-columns.js'
import { ConfigError } from '../errors.js'
import type { BulkAction } from '../job/filter.js'
import type { ActFlags } from './jobs/act.js'
import type { ExportFlags } from './jobs/export.js'
import type { ListFlags } from './jobs/list.js'
import type { ShowFlags } from './jobs/show.js'
import { filterable } from './jobs/which.js'
import { common, list, wholeNumber } from './kit.js'

/** `celeriac jobs …`: look at jobs, and do something to one, some or many of them. */
export function addJobs(program: Command): void {
  const jobs = program
    .command('jobs')
    .description('Find jobs, and cancel, retry, delete, run now or move them.')
  addList(jobs)
  addExport(jobs)
  addShow(jobs)
  addAct(jobs, 'retry', 'retry', 'Put failed, cancelled and expired jobs back into their queues, as new.', [
    'celeriac jobs retry --state failed --task mail.send --since 1h',
    'celeriac jobs retry 01987a3c-5d1e-7b60-8f11-2c9d6e4ab001',
  ])
  addAct(jobs, 'cancel', 'cancel', 'Cancel jobs: what waits never starts, what runs is asked to stop.', [
    'celeriac jobs cancel --queue reports --owner 42 --reason "account closed"',
  ]).option('--reason <text>', 'why; shown with the jobs')
  addAct(jobs, 'delete', 'delete', 'Delete jobs that do not run, with their results and logs.', [
    'celeriac jobs delete --state succeeded --ended-until 7d --yes',
  ])
  addAct(jobs, 'run', 'promote', 'Make jobs due now that wait for their time or their next attempt.', [
    'celeriac jobs run --state retrying --task mail.send',
  ])
  addAct(jobs, 'move', 'move', 'Give waiting jobs another queue or another priority.', [
    'celeriac jobs move --task reports.build --to slow',
  ])
    .option('--to <queue>', 'the queue where they are to wait')
    .option('--priority <number>', '0 is first; larger waits longer')
}

function addList(jobs: Command): void {
  filterable(common(jobs.command('list')))
    .description('List jobs, newest first: by creation, or by their end where only ended ones are meant.')
    .option('--limit <number>', 'jobs to list, up to 1000 (default: 50)')
    .option('--cursor <text>', 'go on where the list before ended')
    .option('--sort <order>', 'newest or oldest first (default: newest)')
    .addOption(
      new Option(
        '--columns <names>',
        'of id, task, queue, state, priority, attempt, created, due, started, ended, took, worker, owner, tags, parent, payload, result, error',
      ).argParser(list),
    )
    .addHelpText(
      'after',
      `
Flags take several names by comma, or repeated; what several flags say must all hold. A search ends after 2 s, and
says how far it looked. Text is looked for in jobs of the last 24 hours, unless a time is said.

Examples:
  celeriac jobs list --state failed --since 1h
  celeriac jobs list --query 'is:failed (tag:vip or attempts>=3) -"socket hang up"'
  celeriac jobs list --task mail.send --text ann@example.org --json | jq .id`,
    )
    .action(async (flags: ListFlags) => (await import('./jobs/list.js')).listJobs(flags))
}

function addExport(jobs: Command): void {
  filterable(common(jobs.command('export')))
    .description('Write all jobs that match into a file, or to standard output, as CSV or JSON Lines.')
    .option('-f, --format <format>', 'csv, with a head; or jsonl, a JSON document a line (default: csv)')
    .option('-o, --output <file>', 'where to; it has this name once all is in it, and ends in .part before')
    .addOption(new Option('--columns <names>', `of ${exportColumns.join(', ')}`).argParser(list))
    .addHelpText(
      'after',
      `
Fields that are hidden (redact) stay hidden. Ctrl-C stops it; it exits with 3 then.

Examples:
  celeriac jobs export --state failed --since 7d --output failed.csv
  celeriac jobs export --query 'task:mail.* ended>24h' --format jsonl --columns id,payload,result | jq .payload`,
    )
    .action(async (flags: ExportFlags) => (await import('./jobs/export.js')).exportJobs(flags))
}

function addShow(jobs: Command): void {
  common(jobs.command('show'))
    .description('Show all that is known of a job: payload, result, error, attempts, context.')
    .argument('<id>', 'id of the job')
    .option('--logs [lines]', 'also what it logged (default: 1000 lines)')
    .addHelpText(
      'after',
      '\nExits with 4 when there is no such job.\n\nExample:\n  celeriac jobs show 01987a3c-5d1e-7b60-8f11-2c9d6e4ab001 --logs',
    )
    .action(async (id: string, flags: ShowFlags) => (await import('./jobs/show.js')).showJob(id, flags))
}

function addAct(
  jobs: Command,
  name: string,
  action: BulkAction,
  description: string,
  examples: readonly string[],
): Command {
  return acting(filterable(common(jobs.command(name))))
    .description(description)
    .argument('[id...]', 'ids of jobs; "-" reads them from standard input')
    .option('--all', 'all that are in a state for it')
    .addHelpText('after', `${exits}\n\nExamples:\n${examples.map((each) => `  ${each}`).join('\n')}`)
    .action(async (ids: readonly string[], flags: ActFlags) => {
      const { act } = await import('./jobs/act.js')
      await act(ids, { action, flags, ...(action === 'move' ? { target: toTarget(flags) } : {}) })
    })
}

/** The flags of what changes jobs. */
export function acting(command: Command): Command {
  return command
    .option('-y, --yes', 'do not ask')
    .option('--dry-run', 'say how many match, and do nothing')
    .option('--by <name>', 'who; kept with what is done (default: user@host)')
}

const exits = `
By a filter it says how many match, asks, and goes through them; Ctrl-C stops it after a batch.

Exits with 0 when all is done, 3 when it was stopped or refused, or a job given by its id had ended before or is in
another state, 4 when one given by its id is unknown.`

function toTarget({ to, priority }: ActFlags) {
  if (to === undefined && priority === undefined)
    throw new ConfigError('Say where to: --to <queue>, --priority <number>, or both.')
  return {
    ...(to === undefined ? {} : { queue: to }),
    ...(priority === undefined ? {} : { priority: wholeNumber(priority, '--priority', 0) }),
  }
}
