import { cpus } from 'node:os'
import { makePostgresTemplate } from '../support/postgres.js'
import type { Command } from './arguments.js'
import { printVerdict } from './checker/verdict.js'
import { freezeCode } from './code.js'
import type { Console } from './console.js'
import { writeCounts } from './document.js'
import { longShape } from './plan.js'
import { defaultFolder, openRunFolder } from './run-folder.js'
import { soak } from './soak.js'

type LongCommand = Extract<Command, { run: 'long' }>

/** From the first fault to the last, on two cores. */
const workloadMs = 17 * 60_000
const fullSize = 200_000

/** Random faults for a quarter of an hour, with the leases that users have. */
export async function runLong(
  command: LongCommand,
  console: Console,
  stopped: AbortSignal,
): Promise<boolean> {
  const { broker, seed, jobs, resume } = command
  const folder = openRunFolder(defaultFolder(`${broker}-${seed}`), resume)
  console.say(`Its folder is ${folder.path}. After an interruption: --resume --seed ${seed}.`)
  await freezeCode(folder.code)
  const size = Math.min(1, jobs / fullSize)
  const rounds = Math.max(1, Math.round(longShape.rounds * size))
  const verdict = await soak({
    broker,
    seed,
    jobs,
    shape: { ...longShape, rounds, wipes: Math.max(1, Math.round(longShape.wipes * size)) },
    folder,
    code: folder.code,
    template: await makePostgresTemplate(),
    webs: 2,
    workers: 5,
    concurrency: 20,
    workloadMs: Math.max(30_000, workloadMs * size),
    limits: { killRecoveryMs: 15_000 },
    tell: console.progress,
    stopped,
  })
  const heading = `${jobs} jobs on ${broker}, seed ${seed}, ${cpus().length} cores`
  console.say(`${heading}\n${printVerdict(verdict)}`)
  if (command.write) writeCounts(broker, seed, verdict)
  if (verdict.violations.length === 0) folder.remove()
  return verdict.violations.length === 0
}
