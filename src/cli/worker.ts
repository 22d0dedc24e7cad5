import type { Command } from 'commander'
import { type CommonFlags, common } from './kit.js'

export interface WorkerFlags extends CommonFlags {
  readonly concurrency?: string
  readonly queues?: string
  readonly pool?: string
  readonly maxJobsPerChild?: string
  readonly maxMemoryPerChild?: string
  readonly name?: string
  readonly loglevel?: string
  readonly grace?: string
}

export function addWorker(program: Command): void {
  common(program.command('worker'))
    .description('Run jobs. The first SIGTERM or SIGINT lets running jobs finish, the second stops at once.')
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
    .addHelpText('after', '\nExample:\n  celeriac worker -c 4 -Q default,mail --loglevel info')
    .action(async (flags: WorkerFlags) => (await import('./run-worker.js')).runWorker(flags))
}
