#!/usr/bin/env node
import { Command, CommanderError } from 'commander'
import {
  CeleriacError,
  EnqueueOptionError,
  PayloadInvalidError,
  PayloadTooLargeError,
  UnknownTaskError,
  UnknownWorkerError,
} from '../errors.js'
import { toStoredError } from '../job/json.js'
import { version } from '../version.js'
import { addBench } from './bench.js'
import { addCall } from './call.js'
import { addCancel } from './cancel.js'
import { addCheck } from './check.js'
import { addCompletion } from './completion.js'
import { addControl } from './control.js'
import { addDashboard } from './dashboard.js'
import { addEvents } from './events.js'
import { addInspect } from './inspect.js'
import { addJobs } from './jobs.js'
import { exitCodes } from './kit.js'
import { moveLeading } from './leading.js'
import { addLimit } from './limit.js'
import { addMigrate } from './migrate.js'
import { addPrune } from './prune.js'
import { addPurge } from './purge.js'
import { addQueues } from './queues.js'
import { addReport } from './report.js'
import { addResult } from './result.js'
import { addStatus } from './status.js'
import { addTasks } from './tasks.js'
import { addTop } from './top.js'
import { addWorker } from './worker.js'

const program = new Command('celeriac')
  .description('Background jobs for Express.')
  .version(version, '-V, --version')
  .showHelpAfterError()
  .configureHelp({ showGlobalOptions: true })
  .exitOverride()

// In the order in which the help lists them. What a command needs beyond its flags is loaded when it runs.
for (const add of [
  addWorker,
  addDashboard,
  addMigrate,
  addCheck,
  addCall,
  addResult,
  addQueues,
  addTasks,
  addEvents,
  addJobs,
  addCancel,
  addPurge,
  addPrune,
  addStatus,
  addTop,
  addInspect,
  addControl,
  addLimit,
  addReport,
  addBench,
  addCompletion,
])
  add(program)

/** What was typed does not fit what it is for. */
const misused = [PayloadInvalidError, PayloadTooLargeError, EnqueueOptionError]

try {
  await program.parseAsync(moveLeading(process.argv.slice(2)), { from: 'user' })
} catch (error) {
  process.exitCode = fail(error)
}

function fail(error: unknown): number {
  // Commander has said it already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage
  process.stderr.write(`${describe(error)}\n`)
  if (misused.some((kind) => error instanceof kind)) return exitCodes.usage
  const isUnknown = error instanceof UnknownWorkerError || error instanceof UnknownTaskError
  return isUnknown ? exitCodes.unknown : exitCodes.fault
}

/** Errors of ours say what to do; for all others the stack helps more. */
function describe(error: unknown): string {
  if (error instanceof CeleriacError) return `celeriac: ${error.message}`
  const { stack, name, message } = toStoredError(error)
  return stack ?? `${name}: ${message}`
}
