import type { Command } from 'commander'
import {
  type CommonFlags,
  common,
  confirm,
  exitCodes,
  exitWith,
  note,
  paint,
  print,
  printJson,
  wholeNumber,
} from './kit.js'

export interface BenchFlags extends CommonFlags {
  readonly jobs: string
  readonly seconds: string
  readonly concurrency: string
  readonly yes?: boolean
}

export function addBench(program: Command): void {
  common(program.command('bench'))
    .description(
      'Measure what your own servers do: jobs enqueued, run and started, with jobs that do nothing.',
    )
    .option('--jobs <number>', 'how many', '5000')
    .option('--seconds <number>', 'each part takes no longer than this', '15')
    .option('-c, --concurrency <number>', 'jobs that run at once', '10')
    .option('-y, --yes', 'do not ask, in production')
    .addHelpText('after', help)
    .action(bench)
}

const help = `
It writes to the real tables, in a queue that no other worker serves, and deletes all of it at the end. In
production it asks first: it takes what the servers have.

Example:
  celeriac bench --jobs 20000
  celeriac bench --json > before.json`

async function bench(flags: BenchFlags): Promise<void> {
  const { runBench } = await import('./run-bench.js')
  const jobs = wholeNumber(flags.jobs, '--jobs')
  const seconds = wholeNumber(flags.seconds, '--seconds')
  const concurrency = wholeNumber(flags.concurrency, '--concurrency')
  const { readEnvironment } = await import('../config/env.js')
  if (readEnvironment().isProduction) {
    const question = `This is production (NODE_ENV): ${jobs} jobs are written, run and deleted, as fast as the servers can. Go on?`
    if (!(await confirm(question, flags.yes ? { yes: true } : {}))) return exitWith(exitCodes.no)
  }
  const measured = await runBench(flags, { jobs, seconds, concurrency })
  if (measured.isStopped) {
    note('Stopped. What it had written is deleted.')
    return exitWith(exitCodes.fault)
  }
  const { isStopped: _, ...figures } = measured
  if (flags.json) return printJson(figures)
  print(`${paint('bold', 'broker')}         ${figures.broker}`)
  print(`${paint('bold', 'store')}          ${figures.store}`)
  print(
    `${paint('bold', 'enqueue')}        ${rate(figures.enqueuePerSecond)} (${figures.enqueued} jobs, each durable)`,
  )
  print(
    `${paint('bold', 'run')}            ${rate(figures.drainPerSecond)} (${figures.drained} jobs, each end recorded)`,
  )
  const { p50, p99 } = figures.startMs
  print(
    `${paint('bold', 'call to start')}  p50 ${p50} ms, p99 ${p99} ms (${figures.started} calls, one after the other)`,
  )
}

function rate(perSecond: number): string {
  return `${perSecond.toLocaleString('en')} jobs/s`
}
