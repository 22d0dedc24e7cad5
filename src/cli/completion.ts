import { Argument, type Command } from 'commander'
import type { Config } from '../config/resolve.js'
import type { Store } from '../store/store.js'
import { readAnnouncements } from '../task/announcement.js'
import { type Ask, type Completion, completionsFor } from './complete.js'
import { type CommonFlags, endSoon, print } from './kit.js'

type Shell = keyof typeof scripts

export function addCompletion(program: Command): void {
  program
    .command('completion')
    .description('Print a script that completes commands, flags and names as you type them.')
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(scripts)))
    .addHelpText('after', help)
    .action((shell: Shell) => print(scripts[shell].trim()))
  program
    .command('__complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .action((words: readonly string[]) => complete(program, words))
}

const help = `
Names of tasks, queues and workers come from the servers, and from the code where that takes no longer than a moment.

Example:
  celeriac completion bash >> ~/.bashrc
  celeriac completion zsh > ~/.zfunc/_celeriac
  celeriac completion fish > ~/.config/fish/completions/celeriac.fish`

const scripts = {
  bash: `
_celeriac_complete() {
  local current=\${COMP_WORDS[COMP_CWORD]} IFS=$'\\n'
  if [ "$current" = "=" ]; then current=""; fi
  COMPREPLY=($(compgen -W "$("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1)" -- "$current"))
}
complete -o default -F _celeriac_complete celeriac`,
  zsh: `
#compdef celeriac
_celeriac() {
  local -a found
  local value description
  while IFS=$'\\t' read -r value description; do
    found+=("\${value//:/\\\\:}:$description")
  done < <("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#found} )); then _describe celeriac found; else _files; fi
}
if [ "$funcstack[1]" = "_celeriac" ]; then _celeriac "$@"; else compdef _celeriac celeriac; fi`,
  fish: `
function __celeriac_complete
  set -l words (commandline -opc) (commandline -ct)
  $words[1] __complete -- $words[2..-1] 2>/dev/null
end
complete -c celeriac -f -a '(__celeriac_complete)'
complete -c celeriac -s A -l app -r -F
complete -c celeriac -l env-file -r -F`,
}

/** Who types waits no longer, whatever keeps servers and files; names are there long before. */
const longestMs = 15_000

/** Never fails: a shell that completes has no place for words of ours. */
async function complete(program: Command, words: readonly string[]): Promise<void> {
  const { values, ask } = completionsFor(program, words)
  for (const each of values) tell(each)
  if (!ask) return
  // A file of the app may print, and this is read by a shell.
  const write = process.stdout.write.bind(process.stdout)
  process.stdout.write = () => true
  const late = setTimeout(() => process.exit(0), longestMs)
  const names = await namesOf(ask, flagsIn(words)).catch(() => [])
  clearTimeout(late)
  process.stdout.write = write
  const current = (words.at(-1) ?? '').replace(/^--[^=]+=|^=$/, '')
  endSoon()
  for (const value of new Set(names)) if (value.startsWith(current)) tell({ value, description: '' })
}

function tell({ value, description }: Completion): void {
  print(description === '' ? value : `${value}\t${description}`)
}

function flagsIn(words: readonly string[]): CommonFlags {
  const after = (...flags: string[]) => words[words.findIndex((word) => flags.includes(word)) + 1]
  const has = (...flags: string[]) => words.some((word) => flags.includes(word))
  const [app, envFile] = [after('-A', '--app'), after('--env-file')]
  return {
    ...(app !== undefined && has('-A', '--app') ? { app } : {}),
    ...(envFile !== undefined && has('--env-file') ? { envFile } : {}),
  }
}

async function namesOf(ask: Ask, flags: CommonFlags): Promise<readonly string[]> {
  const { readConfigOrDefaults, readTasks, withStore } = await import('./open.js')
  const config = await readConfigOrDefaults(flags)
  const asked = isReachable(config) ? withStore(flags, readers[ask]).catch(() => []) : []
  const read = ask === 'tasks' ? readTasks(flags).catch(() => undefined) : undefined
  const names = await asked
  return names.length > 0 ? names : ((await read)?.registry?.names ?? [])
}

/** Nobody wants a server to be started by the press of a key. */
function isReachable({ store }: Config): boolean {
  return store.kind === 'postgres'
}

const readers: Readonly<Record<Ask, (store: Store) => Promise<readonly string[]>>> = {
  async tasks(store) {
    return (await store.announcedTasks()).flatMap((text) => Object.keys(readAnnouncements(text))).sort()
  },
  async queues(store) {
    return (await store.knownQueues()).sort()
  },
  async workers(store) {
    return (await store.liveWorkers()).map(({ name }) => name)
  },
}
