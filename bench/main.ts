import { parseArgs } from 'node:util'
import { compileContenders, removeCompiled } from './compile.js'
import { drain } from './drain.js'
import { enqueue } from './enqueue.js'
import { faults } from './faults.js'
import { nameMachine } from './machine.js'
import { type Finding, printFindings } from './report.js'
import { route } from './route.js'
import { openServers, type Servers } from './servers.js'
import { start } from './start.js'
import { wait } from './wait.js'

/** What one part of the bench is told on the command line. */
export interface Settings {
  /** How often each contender is measured. Each part has its own default. */
  readonly rounds: number | undefined
  /** How long one measurement takes, where time decides. */
  readonly seconds: number | undefined
  /** Writes a CPU profile of each contender's measured rounds to `bench/profiles/`. */
  readonly profile: boolean
}

/** Measures, alternating between the contenders, and says what was found. */
export type Part = (servers: Servers, settings: Settings) => Promise<Finding[]>

const parts: Readonly<Record<string, Part>> = { route, enqueue, drain, wait, start, faults }
/** The faults take minutes, so they are run by name. */
const usual = ['route', 'enqueue', 'drain', 'wait', 'start']

const usage = `npm run bench [-- <part>… [--rounds n] [--seconds n] [--profile]]
Parts: ${Object.keys(parts).join(', ')}. Without one: ${usual.join(', ')}.`

process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))
process.exitCode = await main()

/** A missed target is a finding, not a failure. */
async function main(): Promise<number> {
  const asked = readArguments()
  if (typeof asked === 'string') {
    console.error(asked)
    return 2
  }
  await compileContenders()
  const servers = await openServers()
  try {
    const machine = await nameMachine(servers)
    const findings: Finding[] = []
    for (const [name, part] of asked.parts) {
      console.error(`\n${name}`)
      findings.push(...(await part(servers, asked.settings)))
    }
    printFindings(machine, findings)
    return 0
  } catch (error) {
    console.error(error)
    return 1
  } finally {
    await servers.close()
    removeCompiled()
  }
}

function readArguments(): { parts: [string, Part][]; settings: Settings } | string {
  try {
    const { positionals, values } = parseArgs({
      allowPositionals: true,
      options: {
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        profile: { type: 'boolean', default: false },
      },
    })
    const names = positionals.length === 0 ? usual : positionals
    return {
      parts: names.map((name) => [name, partNamed(name)]),
      settings: {
        rounds: toPositive('rounds', values.rounds),
        seconds: toPositive('seconds', values.seconds),
        profile: values.profile,
      },
    }
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n${usage}`
  }
}

function partNamed(name: string): Part {
  const part = parts[name]
  if (!part) throw new Error(`There is no part "${name}".`)
  return part
}

function toPositive(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new Error(`--${name} takes a whole number above 0, and was given "${text}".`)
}
