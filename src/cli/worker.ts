import { type Command, Option } from 'commander'
import { addCeleryFlags } from './celery-flags.js'
import { type CommonFlags, common, list } from './kit.js'

export interface WorkerFlags extends CommonFlags {
  readonly concurrency?: string
  readonly queues?: readonly string[]
  readonly excludeQueues?: readonly string[]
  readonly pool?: string
  readonly autoscale?: string
  readonly maxJobsPerChild?: string
  readonly maxTasksPerChild?: string
  readonly maxMemoryPerChild?: string
  readonly timeLimit?: string
  readonly softTimeLimit?: string
  readonly name?: string
  readonly hostname?: string
  readonly loglevel?: string
  readonly grace?: string
  readonly purge?: boolean
  readonly yes?: boolean
  readonly pidfile?: string
  readonly healthPort?: string
  readonly metricsPort?: string
  readonly watch?: boolean
  /** By {@link watch}: this is the process that it starts anew. */
  readonly watched?: boolean
}

export function addWorker(program: Command): void {
  const worker = common(program.command('worker'))
    .description('Run jobs. The first SIGTERM or SIGINT lets running jobs finish, the second stops at once.')
    .option('-c, --concurrency <number>', 'jobs that run at once (default: the number of CPU cores)')
    .option(
      '-Q, --queues <names>',
      'queues to serve, by comma; the first goes first (default: all that the tasks name)',
      list,
    )
    .option('-X, --exclude-queues <names>', 'queues not to serve, of those', list)
    .option('--autoscale <max,min>', 'run as many jobs at once as the work asks for, between these')
    .option(
      '-P, --pool <kind>',
      'where tasks run that name no pool: inline, thread or process (default: inline)',
    )
    .option('--max-jobs-per-child <number>', 'replace a thread or process of a pool after so many jobs')
    .option('--max-tasks-per-child <number>', 'the same, as Celery calls it')
    .option(
      '--max-memory-per-child <bytes>',
      'replace it when it uses more than this after a job, as 300MB; a number alone is bytes, not KiB',
    )
    .option(
      '--time-limit <time>',
      'when an attempt is ended, of tasks that say none; a number alone is seconds',
    )
    .option('--soft-time-limit <time>', 'when its signal aborts')
    .option('-n, --name <name>', 'name of the worker; %h is the host, %p the process id')
    .option('-l, --loglevel <level>', 'fatal, error, warn, info, debug, trace or silent')
    .option('--grace <duration>', 'how long running jobs may take to finish, as 30s or 5m')
    .option('--purge', 'first cancel all jobs that wait in its queues; asks, unless --yes is said')
    .option('--yes', 'answer yes to what would be asked')
    .option('--pidfile <file>', 'write the process id to this file, and remove it at the end')
    .option('--health-port <port>', 'answer /health/live and /health/ready on this port')
    .option('--metrics-port <port>', 'answer /metrics and /metrics/cluster on this port, for Prometheus')
    .option(
      '--watch',
      'for development: start anew, gracefully, when a file changes that the worker is made of',
    )
    .addOption(new Option('--hostname <name>', 'as Celery calls --name').hideHelp())
    .addOption(new Option('--watched').hideHelp())
    .addHelpText('after', '\nExample:\n  celeriac worker -c 4 -Q default,mail --loglevel info')
    .action(async (flags: WorkerFlags) => (await import('./run-worker.js')).runWorker(flags))
  addCeleryFlags(worker)
}
