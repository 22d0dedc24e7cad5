import type { Values } from '../job/codec.js'
import type { Job } from '../job/job.js'
import { wrong } from '../task/check.js'
import type { WorkerNames } from './export.js'
import { cellOf, type ExportColumn } from './export-columns.js'

export type ExportFormat = 'csv' | 'jsonl'

/** For answers over HTTP. */
export const contentTypes: Readonly<Record<ExportFormat, string>> = Object.freeze({
  csv: 'text/csv; charset=utf-8; header=present',
  jsonl: 'application/jsonl; charset=utf-8',
})

/** How jobs become text. */
export interface Format {
  /** What stands before the first job. */
  readonly head: string
  toLine(job: Job): string
}

interface FormatDeps {
  readonly columns: readonly ExportColumn[]
  readonly workers: WorkerNames
  readonly values: Values
}

export function createFormat(format: ExportFormat, deps: FormatDeps): Format {
  return format === 'csv' ? createCsv(deps) : createJsonLines(deps)
}

/** @throws {ConfigError} when there is no such format */
export function checkFormat(format: unknown): ExportFormat {
  if (format === 'csv' || format === 'jsonl') return format
  throw wrong('"format"', "'csv' or 'jsonl'", format)
}

/** RFC 4180: commas, lines that end with CR LF, quotes where they are needed, and a head. */
function createCsv({ columns, workers, values }: FormatDeps): Format {
  const toCell = (value: unknown) => escaped(toText(value, values))
  return {
    head: `${columns.join(',')}\r\n`,
    toLine: (job) => `${columns.map((name) => toCell(cellOf(name, job, workers))).join(',')}\r\n`,
  }
}

function toText(value: unknown, values: Values): string {
  if (value === null) return ''
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' ? value : values.toShownJson(value)
}

/**
 * What a spreadsheet would take for a formula is marked as text: whoever enqueues a job must not compute on another's desk.
 * That is so within a text, too: where commas are for numbers, spreadsheets part cells by semicolons or tabs, and heed no
 * quotes but those at the start of a cell.
 */
function escaped(text: string): string {
  const marked = text.replace(formulaStart, "'")
  return /[",;\t\r\n]/.test(marked) ? `"${marked.replaceAll('"', '""')}"` : marked
}

// It looks back from signs alone: from every character it would take as many steps as a run of white space has, squared.
const formulaStart = /^(?=\s*[=+\-@＝＋－＠\t\r])|(?=[=+\-@＝＋－＠])(?<=[;\t\r\n]["\s]*)/g

/** A JSON document a line. */
function createJsonLines({ columns, workers, values }: FormatDeps): Format {
  return {
    head: '',
    toLine: (job) =>
      `${values.toShownJson(Object.fromEntries(columns.map((name) => [name, cellOf(name, job, workers)])))}\n`,
  }
}
