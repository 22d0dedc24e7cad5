#!/usr/bin/env node
import { Command, Option } from 'commander'
import { CeleriacError } from '../errors.js'
import { toStoredError } from '../job/json.js'
import { version } from '../version.js'
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
  .option('-n, --name <name>', 'name of the worker; %h is the host, %p the process id')
  .option('-l, --loglevel <level>', 'fatal, error, warn, info, debug, trace or silent')
  .option('--grace <duration>', 'how long running jobs may take to finish, as 30s or 5m')
  .addOption(envFile)
  .addHelpText('after', '\nExample:\n  celeriac worker -c 4 -Q default,mail --loglevel info')
  .action(runWorker)

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
