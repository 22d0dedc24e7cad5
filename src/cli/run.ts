import { CommanderError } from 'commander'
import {
  CeleriacError,
  EnqueueOptionError,
  PayloadInvalidError,
  PayloadTooLargeError,
  UnknownTaskError,
  UnknownWorkerError,
} from '../errors.js'
import { toStoredError } from '../job/json.js'
import { exitCodes } from './kit.js'
import { moveLeading } from './leading.js'
import { createProgram } from './program.js'

/** What was typed does not fit what it is for. */
const misused = [PayloadInvalidError, PayloadTooLargeError, EnqueueOptionError]

/** Runs the command that was typed. Its answer is printed, and its exit code left in `process.exitCode`. Never rejects. */
export async function run(args: readonly string[]): Promise<void> {
  try {
    await createProgram().parseAsync(moveLeading(args), { from: 'user' })
  } catch (error) {
    process.exitCode = fail(error)
  }
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
