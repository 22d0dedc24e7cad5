import { parseArgs } from 'node:util'
import { type BrokerKind, brokers } from './servers.js'

export type Command =
  | { readonly run: 'list' }
  | { readonly run: 'short'; readonly seed: number }
  /** Some faults, by number, in full. */
  | {
      readonly run: 'some'
      readonly numbers: readonly string[]
      readonly seed: number
      readonly only?: BrokerKind
    }
  | {
      readonly run: 'long'
      readonly broker: BrokerKind
      readonly seed: number
      readonly jobs: number
      readonly resume: boolean
      readonly write: boolean
    }

export const usage = `
npm run faults                                    the short run, both brokers
npm run faults -- F9 F10                          some faults, by number [--broker redis|postgres]
npm run faults -- --list                          what is covered, by what
npm run faults -- --long --broker redis|postgres  the long run
    --jobs 200000    --resume    goes on with one that was interrupted
    --write          its counts into docs/faults.md
--seed N             repeats a run; it is printed`

const longJobs = 200_000

/** @throws {Error} with the usage, for what cannot be meant */
export function readCommand(words: readonly string[]): Command {
  const { values, positionals } = parseArgs({
    args: [...words],
    allowPositionals: true,
    options: {
      list: { type: 'boolean', default: false },
      long: { type: 'boolean', default: false },
      broker: { type: 'string' },
      seed: { type: 'string' },
      jobs: { type: 'string', default: String(longJobs) },
      resume: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
    },
  })
  const { list, long, resume, write } = values
  const seed =
    values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : wholeNumber('--seed', values.seed)
  const broker = values.broker === undefined ? undefined : toBroker(values.broker)
  if (list) return { run: 'list' }
  if (!long && positionals.length > 0)
    return { run: 'some', numbers: positionals.map(toNumber), seed, ...(broker ? { only: broker } : {}) }
  if (!long) return { run: 'short', seed }
  if (!broker) throw new Error(`The long run takes one broker at a time.\n${usage}`)
  if (resume && values.seed === undefined) throw new Error(`Which run is to go on? Say its --seed.\n${usage}`)
  return { run: 'long', broker, seed, jobs: wholeNumber('--jobs', values.jobs), resume, write }
}

function toBroker(said: string): BrokerKind {
  const broker = brokers.find((known) => known === said)
  if (!broker) throw new Error(`--broker is ${brokers.join(' or ')}, not "${said}".\n${usage}`)
  return broker
}

function toNumber(said: string): string {
  if (!/^F\d{1,2}$/i.test(said)) throw new Error(`"${said}" is no fault's number, such as F9.\n${usage}`)
  return said.toUpperCase()
}

function wholeNumber(name: string, said: string): number {
  const number = Number(said)
  if (!Number.isInteger(number) || number < 0)
    throw new Error(`${name} is a whole number, not "${said}".\n${usage}`)
  return number
}
