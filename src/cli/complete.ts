import { type Command, Option } from 'commander'
import { clusterEventNames } from '../control/sightings.js'
import { moves } from '../job/state.js'
import { leadingFlags } from './leading.js'

/** What may stand next on a command line. */
export interface Completions {
  readonly values: readonly Completion[]
  /** What else: asked of servers and files, unlike the values. */
  readonly ask?: Ask
}

export interface Completion {
  readonly value: string
  readonly description: string
}

export type Ask = 'tasks' | 'queues' | 'workers'

/** Read from the tree of commands, so that there is nothing to be kept in step. @param words behind `celeriac`, the last one as far as it is typed */
export function completionsFor(program: Command, words: readonly string[]): Completions {
  const typed = words.filter((word) => word !== '=')
  const current = words.at(-1) === '=' ? '' : (typed.at(-1) ?? '')
  const before = words.at(-1) === '=' ? typed : typed.slice(0, -1)
  const { command, place, open } = walk(program, before)
  const [flag, value] = splitAt(current)
  if (value !== undefined) return valuesOf(optionOf(command, flag), command, value)
  if (open) return valuesOf(open, command, current)
  if (current.startsWith('-')) return starting(current, flagsOf(command))
  const names = place === 0 ? commandsOf(command) : []
  const argument = command.registeredArguments[place] ?? variadic(command)
  const next = argument ? named(argument.name(), command.name(), argument.argChoices) : none
  return { ...next, values: starting(current, [...names, ...next.values]).values }
}

interface Walked {
  readonly command: Command
  /** Arguments that it has already. */
  readonly place: number
  /** The last word is an option that waits for its value. */
  readonly open: Option | undefined
}

function walk(program: Command, words: readonly string[]): Walked {
  let [command, place] = [program, 0]
  let open: Option | undefined
  for (const word of words) {
    if (open && !(open.optional && word.startsWith('-'))) {
      open = undefined
      continue
    }
    open = undefined
    if (word.startsWith('-')) {
      const option = optionOf(command, word) ?? leadingOf(command, word)
      open = option && (option.required || option.optional) ? option : undefined
      continue
    }
    const next = place === 0 ? find(command, word) : undefined
    if (next) command = next
    else place += 1
  }
  return { command, place, open }
}

function find(command: Command, word: string): Command | undefined {
  return command.commands.find((each) => each.name() === word || each.aliases().includes(word))
}

function optionOf(command: Command, flag: string): Option | undefined {
  return command.options.find(({ short, long }) => flag === short || flag === long)
}

/** A flag of all commands may stand before the command. */
function leadingOf(command: Command, flag: string): Option | undefined {
  return command.parent === null && leadingFlags.includes(flag) ? new Option('--leading <value>') : undefined
}

function splitAt(word: string): [flag: string, value: string | undefined] {
  const at = word.startsWith('--') ? word.indexOf('=') : -1
  return at === -1 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)]
}

function variadic(command: Command) {
  const last = command.registeredArguments.at(-1)
  return last?.variadic ? last : undefined
}

const none: Completions = Object.freeze({ values: [] })

/** Of an option by its name, for one name means one thing everywhere. */
function valuesOf(option: Option | undefined, command: Command, current: string): Completions {
  if (!option) return none
  const found = named(option.attributeName(), command.name(), option.argChoices)
  return { ...found, values: starting(current, found.values).values }
}

const asked: Readonly<Record<string, Ask>> = {
  task: 'tasks',
  queue: 'queues',
  queues: 'queues',
  exclude: 'queues',
  excludeQueues: 'queues',
  destination: 'workers',
  worker: 'workers',
}

const said: Readonly<Record<string, readonly string[]>> = {
  state: Object.keys(moves),
  loglevel: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
  level: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
  pool: ['inline', 'thread', 'process'],
  shell: ['bash', 'zsh', 'fish'],
}

function named(name: string, command: string, choices: readonly string[] | undefined): Completions {
  if (choices) return { values: choices.map(plain) }
  if (name === 'type' && command === 'events') return { values: clusterEventNames.map(plain) }
  if (name === 'name' && command === 'tasks') return { values: [], ask: 'tasks' }
  const ask = asked[name]
  return { values: (said[name] ?? []).map(plain), ...(ask && { ask }) }
}

function commandsOf(command: Command): Completion[] {
  return command
    .createHelp()
    .visibleCommands(command)
    .map((each) => ({ value: each.name(), description: firstSentence(each.description()) }))
}

function flagsOf(command: Command): Completion[] {
  const options = command.createHelp().visibleOptions(command)
  return options.map(({ long, short, description }) => ({ value: long ?? short ?? '', description }))
}

function firstSentence(text: string): string {
  return text.split(/[.:](?:\s|$)/, 1)[0] ?? ''
}

function plain(value: string): Completion {
  return { value, description: '' }
}

function starting(current: string, values: readonly Completion[]): Completions {
  return { values: values.filter(({ value }) => value.startsWith(current)) }
}
