import type { Argument, Command, Option } from 'commander'

/** Every command that does something, by its whole name; hidden ones are left out. */
export function commandsOf(program: Command): { readonly name: string; readonly command: Command }[] {
  const inside = (command: Command, path: string): { name: string; command: Command }[] => {
    const visible = command.createHelp().visibleCommands(command)
    const below = visible.filter((each) => each.name() !== 'help')
    return below.flatMap((each) => {
      const name = `${path} ${each.name()}`
      return each.commands.length === 0 ? [{ name, command: each }] : inside(each, name)
    })
  }
  return inside(program, program.name())
}

/** The help as it is printed, with what stands below the flags. */
export function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({
    writeOut: (part) => {
      text += part
    },
  })
  command.outputHelp()
  return text
}

/** What docs/cli.md says of all commands. */
export function describeCommands(program: Command): string {
  return commandsOf(program)
    .map(({ name, command }) => describe(name, command))
    .join('\n')
}

function describe(name: string, command: Command): string {
  const words = command.registeredArguments.map(argumentName)
  const groups = groupsOf(command)
  const grouped = groups.flatMap(({ flags }) => flags)
  const aliases = command.aliases()
  const also = aliases.length === 0 ? '' : `Also \`${aliases.join('`, `')}\`.\n\n`
  const flags = command
    .createHelp()
    .visibleOptions(command)
    .filter(({ long }) => !everywhere.includes(long ?? '') && !grouped.includes(long ?? ''))
    .map((option) => row(option.flags, meaning(option)))
  const inputs = command.registeredArguments.map((argument) => row(argumentName(argument), textOf(argument)))
  const rows = [...inputs, ...flags]
  const table = rows.length === 0 ? '' : `| | |\n|---|---|\n${rows.join('\n')}\n`
  const more = groups.length === 0 ? '' : `\nAnd ${groups.map(({ link }) => link).join(', and ')}.\n`
  return `### ${[name, ...words].join(' ')}\n\n${command.description()}\n\n${also}${table}${more}`
    .trimEnd()
    .concat('\n')
}

/** Flags that several commands share, and the section that says them. */
const shared = [
  {
    link: 'the [filters of jobs](#filters-of-jobs)',
    flags: [
      ...['--state', '--task', '--queue', '--worker', '--owner', '--unowned', '--tag', '--parent', '--since'],
      ...[
        '--until',
        '--started-since',
        '--started-until',
        '--ended-since',
        '--ended-until',
        '--min-duration',
      ],
      ...['--max-duration', '--min-attempts', '--error-name', '--error', '--text'],
    ],
  },
  {
    link: 'the flags of [what is asked of workers](#asking-workers)',
    flags: ['--destination', '--timeout', '--by'],
  },
]

function groupsOf(command: Command) {
  const own = command.options.map(({ long }) => long)
  return shared.filter(({ flags }) => flags.every((flag) => own.includes(flag)))
}

/** The tables of shared flags. */
export function describeShared(program: Command): string {
  const commands = commandsOf(program).map(({ command }) => command)
  return shared
    .map((group) => {
      const command = commands.find((each) => groupsOf(each).includes(group))
      const options = (command?.options ?? []).filter(({ long }) => group.flags.includes(long ?? ''))
      const heading = group.flags.includes('--timeout') ? 'Asking workers' : 'Filters of jobs'
      const rows = options.map((option) => row(option.flags, meaning(option)))
      return `### ${heading}\n\n| | |\n|---|---|\n${rows.join('\n')}\n`
    })
    .join('\n')
}

function textOf({ description, argChoices }: Argument): string {
  return argChoices ? `${description}: ${argChoices.join(', ')}` : description
}

/** Said once, above. */
const everywhere = ['--app', '--env-file', '--json', '--help']

function argumentName(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`
  return argument.required ? `<${name}>` : `[${name}]`
}

function meaning({ description, argChoices, defaultValue }: Option): string {
  const choices = argChoices ? ` (${argChoices.join(', ')})` : ''
  const standard = typeof defaultValue === 'string' ? ` (default: ${defaultValue})` : ''
  return `${description}${choices}${standard}`
}

function row(name: string, text: string): string {
  return `| \`${name.replaceAll('|', '\\|')}\` | ${text.replaceAll('|', '\\|').replaceAll('<', '&lt;')} |`
}
