import { Command } from 'commander'
import { version } from '../version.js'
import { addAbsentCommands } from './absent.js'
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

/** In the order in which the help lists them. What a command needs beyond its flags is loaded when it runs. */
const additions = [
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
  addAbsentCommands,
]

/** All commands and their flags. */
export function createProgram(): Command {
  const program = new Command('celeriac')
    .description('Background jobs for Express.')
    .version(version, '-V, --version')
    .showHelpAfterError()
    .configureHelp({ showGlobalOptions: true })
    .exitOverride()
  for (const add of additions) add(program)
  return program
}
