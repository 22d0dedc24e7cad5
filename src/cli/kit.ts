import { hostname, userInfo } from 'node:os'
import { createInterface } from 'node:readline/promises'
import { styleText } from 'node:util'
import { type Command, Option } from 'commander'
import { readEnvironment } from '../config/env.js'
import { ConfigError } from '../errors.js'

/** What a command ends with. A script can tell them apart. */
export const exitCodes = Object.freeze({
  done: 0,
  /** Something went wrong: the message says what. */
  fault: 1,
  /** The command line makes no sense. */
  usage: 2,
  /** It was asked, and the answer is no: it had ended before, it failed, it is not well. */
  no: 3,
  /** There is no such job, worker, task or queue. */
  unknown: 4,
  /** Some workers did not reply. */
  silent: 5,
  /** It has not ended yet: ask again. */
  notYet: 6,
})

/** Flags of every command that reads the configuration. */
export interface CommonFlags {
  readonly app?: string
  readonly envFile?: string
  readonly json?: boolean
}

/** Gives a command the flags that all have. */
export function common(command: Command): Command {
  return command
    .addOption(new Option('-A, --app <path>', 'config file, or a folder that holds one'))
    .addOption(new Option('--env-file <file>', 'read environment variables from this file first'))
    .addOption(new Option('--json', 'print JSON, one document or one a line'))
}

/** A command that Celery has, and that is done in another way here: it says how, and is in no help. */
export function addAbsent(program: Command, name: string, word: string): void {
  program
    .command(name, { hidden: true })
    .allowUnknownOption()
    .allowExcessArguments()
    .action(() => {
      throw new ConfigError(word)
    })
}

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, toPlain))
}

/** For what is not the answer: it must not get into a pipe. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Exits with the highest code that was set. */
export function exitWith(code: number): void {
  process.exitCode = Math.max(Number(process.exitCode ?? 0), code)
}

type Style = Parameters<typeof styleText>[0]

/** Colours on a terminal only, and not where `NO_COLOR` is set. */
export function paint(style: Style, text: string): string {
  return readEnvironment().hasColours ? styleText(style, text, { validateStream: false }) : text
}

/**
 * Ends the process soon, when its work is done: a tasks file may have opened connections of its own, that nobody here
 * knows how to close.
 */
export function endSoon(): void {
  setTimeout(() => process.exit(), 300).unref()
}

/** Columns as wide as what stands in them. The first row is the head. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, at) => Math.max(...rows.map((row) => (row[at] ?? '').length))) ?? []
  const lines = rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return [paint('bold', lines[0] ?? ''), ...lines.slice(1)].join('\n')
}

/** Who types: kept with what is asked. Containers may run under a number that has no name. */
export function currentUser(): string {
  return `${userName()}@${hostname()}`
}

function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? 'unknown')
  }
}

/** @throws {ConfigError} when the text is no whole number from `least` */
export function wholeNumber(text: string, flag: string, least = 1): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && Number.isSafeInteger(number) && number >= least) return number
  throw new ConfigError(`${flag} must be a whole number from ${least}, and is "${text}".`)
}

/** Comma or repeated: `-Q a,b -Q c`. */
export function list(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(',').map((each) => each.trim())].filter((each) => each !== '')
}

/**
 * Asks before something is done that cannot be undone.
 * @throws {ConfigError} when nobody can be asked and `--yes` was not said
 */
export async function confirm(
  question: string,
  { yes = false }: { readonly yes?: boolean },
): Promise<boolean> {
  if (yes) return true
  if (!readEnvironment().canAsk) throw new ConfigError(`${question} Nobody can be asked here: say --yes.`)
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await asking.question(`${question} [y/N] `)).trim())
  } finally {
    asking.close()
  }
}

/** Long work on a terminal: one line that is written again. Elsewhere, nothing. */
export function progressLine(): { show(text: string): void; end(): void } {
  const { isTerminal } = readEnvironment()
  let shown = false
  return {
    show(text) {
      if (!isTerminal) return
      shown = true
      process.stderr.write(`\r\u001b[K${text}`)
    },
    end() {
      if (shown) process.stderr.write('\r\u001b[K')
      shown = false
    },
  }
}

function toPlain(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  return value
}
