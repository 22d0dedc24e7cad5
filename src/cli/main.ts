#!/usr/bin/env node
import { Command, Option } from 'commander'
import { CeleriacError } from '../errors.js'
import { toStoredError } from '../job/json.js'
import { version } from '../version.js'
import { runCancel } from './cancel.js'
import { runLimitList, runLimitReset, runLimitSet } from './limit.js'
import { runMigrate } from './migrate.js'
import { runWorker } from './worker.js'

const program = new Command('celeriac')
  .description('Background jobs for Express.')
  .version(version, '-V, --version')
  .showHelpAfterError()
  .configureHelp({ showGlobalOptions: true })

/** What every command takes. */
const app = new Option('-A, --app <path>', 'config file, or a folder that holds one')
const envFile = new Option('--env-file <file>', 'read environment variables from this file first')

program
  .command('worker')
  .description('Run jobs. The first SIGTERM or SIGINT lets running jobs finish, the second stops at once.')
  .addOption(app)
  .option('-c, --concurrency <number>', 'jobs that run at once (default: the number of CPU cores)')
  .option(
    '-Q, --queues <names>',
    'queues to serve, by comma; the first goes first (default: all that the tasks name)',
  )
  .option(
    '-P, --pool <kind>',
    'where tasks run that name no pool: inline, thread or process (default: inline)',
  )
  .option('--max-jobs-per-child <number>', 'replace a thread or process of a pool after so many jobs')
  .option('--max-memory-per-child <bytes>', 'replace it when it uses more than this after a job, as 300MB')
  .option('-n, --name <name>', 'name of the worker; %h is the host, %p the process id')
  .option('-l, --loglevel <level>', 'fatal, error, warn, info, debug, trace or silent')
  .option('--grace <duration>', 'how long running jobs may take to finish, as 30s or 5m')
  .addOption(envFile)
  .addHelpText('after', '\nExample:\n  celeriac worker -c 4 -Q default,mail --loglevel info')
  .action(runWorker)

program
  .command('cancel')
  .description('Cancel jobs: one that waits never starts, one that runs is asked to stop.')
  .argument('<id...>', 'ids of jobs')
  .option('--reason <text>', 'why; shown with the job')
  .option('--by <name>', 'who; kept with the job (default: user@host)')
  .addOption(app)
  .addOption(envFile)
  .addHelpText(
    'after',
    '\nExits with 0 when each is cancelled or asked to stop, 3 when one had ended before, 4 when one is unknown.',
  )
  .action(runCancel)

const limit = program.command('limit').description('See and change limits while the app runs.')

limit
  .command('list')
  .description('What holds now, for all tasks and queues that have limits.')
  .addOption(app)
  .addOption(envFile)
  .action(runLimitList)

limit
  .command('set')
  .description('Set limits; they go before what the code says. What is not named stays as it is.')
  .option('--task <name>', 'of a task')
  .option('--queue <name>', 'of a queue')
  .option('--rate <rate>', 'starts, as 100/s or 30/m; none lifts the limit')
  .option('--concurrency <number>', 'jobs that run at once; none lifts the limit')
  .option('--key-rate <rate>', 'starts of each key')
  .option('--key-concurrency <number>', 'jobs of each key that run at once')
  .option('--by <name>', 'who; kept with the limit (default: user@host)')
  .addOption(app)
  .addOption(envFile)
  .addHelpText('after', '\nExample:\n  celeriac limit set --task media.resize --rate 10/s --concurrency none')
  .action(runLimitSet)

limit
  .command('reset')
  .description('Go back to what the code says.')
  .option('--task <name>', 'of a task')
  .option('--queue <name>', 'of a queue')
  .addOption(app)
  .addOption(envFile)
  .action(runLimitReset)

program
  .command('migrate')
  .description('Create the tables, or bring them up to date.')
  .addOption(app)
  .option('--print-sql', 'print what would run, and change nothing')
  .addOption(envFile)
  .action(runMigrate)

try {
  await program.parseAsync()
} catch (error) {
  process.stderr.write(`${describe(error)}\n`)
  process.exitCode = 1
}

/** Errors of ours say what to do; for all others the stack helps more. */
function describe(error: unknown): string {
  if (error instanceof CeleriacError) return `celeriac: ${error.message}`
  const { stack, name, message } = toStoredError(error)
  return stack ?? `${name}: ${message}`
}
