import { createWriteStream } from 'node:fs'
import { rename } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createExport, type ExportOptions, type ExportProgress } from '../../control/export.js'
import { checkColumns } from '../../control/export-columns.js'
import { checkFormat } from '../../control/export-format.js'
import { toStoredFilter } from '../../control/filter.js'
import { ConfigError } from '../../errors.js'
import { exitCodes, exitWith, note, printJson, progressLine } from '../kit.js'
import { withStore } from '../open.js'
import { type FilterFlags, noteSince, toFilter } from './which.js'

export interface ExportFlags extends FilterFlags {
  readonly format?: string
  readonly columns?: readonly string[]
  readonly output?: string
}

/** Into a file, or to standard output. A file has its name once all is in it, so that none is cut unseen. */
export async function exportJobs(flags: ExportFlags): Promise<void> {
  const filter = toFilter(flags)
  toStoredFilter(filter)
  const said = {
    format: checkFormat(flags.format ?? 'csv'),
    ...(flags.columns && { columns: checkColumns(flags.columns) }),
  }
  await withStore(flags, async (store, { values }) => {
    const stopping = new AbortController()
    let progress: ExportProgress | undefined
    const line = progressLine()
    const options: ExportOptions = {
      ...said,
      signal: stopping.signal,
      onProgress(made) {
        if (!progress) noteSince(made.since)
        progress = made
        line.show(`${told(made.done)} of ${made.isMore ? 'more than ' : ''}${told(made.matched)} …`)
      },
    }
    const jobs = createExport({ store: async () => store, values })(filter, options)
    await stoppable(stopping, () => write(Readable.from(jobs), flags.output)).finally(line.end)
    await tell(progress?.done ?? 0, stopping.signal.aborted, flags)
  })
}

async function write(text: Readable, output: string | undefined): Promise<void> {
  if (output === undefined) return writeOut(text)
  try {
    await pipeline(text, createWriteStream(partOf(output)))
  } catch (error) {
    if (!isFileError(error)) throw error
    throw new ConfigError(`--output ${output} cannot be written: ${error.message}`, { cause: error })
  }
}

/** Whoever reads may have read enough. */
async function writeOut(text: Readable): Promise<void> {
  try {
    await pipeline(text, process.stdout, { end: false })
  } catch (error) {
    if (!isFileError(error) || error.code !== 'EPIPE') throw error
  }
}

function isFileError(error: unknown): error is NodeJS.ErrnoException {
  return (
    error instanceof Error && 'syscall' in error && (!('path' in error) || typeof error.path === 'string')
  )
}

/** Ctrl-C ends it after the page that is under way; a second one ends the process. */
async function stoppable(stopping: AbortController, work: () => Promise<void>): Promise<void> {
  const stop = () => {
    note('Stopping …')
    stopping.abort()
  }
  const signals = ['SIGINT', 'SIGTERM'] as const
  for (const signal of signals) process.once(signal, stop)
  try {
    await work()
  } finally {
    for (const signal of signals) process.off(signal, stop)
  }
}

async function tell(done: number, isStopped: boolean, { output, json }: ExportFlags): Promise<void> {
  if (isStopped) exitWith(exitCodes.no)
  if (output !== undefined && !isStopped) await rename(partOf(output), output)
  const file = output === undefined ? null : isStopped ? partOf(output) : output
  if (json && file !== null) return printJson({ done, isStopped, output: file })
  const where = file === null ? '' : ` in ${file}`
  note(`${isStopped ? 'Stopped. ' : ''}${told(done)} ${done === 1 ? 'job' : 'jobs'}${where}.`)
}

function partOf(output: string): string {
  return `${output}.part`
}

function told(number: number): string {
  return number.toLocaleString('en')
}
