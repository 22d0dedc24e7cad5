import { readFileSync, writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { compileContenders, removeCompiled } from './compile.js'
import type { Finding } from './finding.js'
import { readMachine } from './machine.js'
import type { Settings } from './part.js'
import { parts, usual } from './parts.js'
import { printFindings } from './report.js'
import { readResults, saveResult } from './results.js'
import { openServers } from './servers.js'
import { toTable, withTable } from './table.js'

const usage = `npm run bench [-- <part>… [--rounds n] [--seconds n] [--quick] [--profile]]
npm run bench -- against --against <folder>
npm run bench -- table [--quick]
Parts: ${Object.keys(parts).join(', ')}. Without one: ${usual.join(', ')}.
Each keeps what it found in bench/results; table writes that into docs/performance.md.
against compares with another checkout that was built, such as the last release.
--quick takes small sizes, to see that a part runs; table --quick prints what such runs found.`

const document = fileURLToPath(new URL('../docs/performance.md', import.meta.url))

process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))
process.exitCode = await main()

async function main(): Promise<number> {
  const asked = readArguments()
  if (typeof asked === 'string') {
    console.error(asked)
    return 2
  }
  return asked.parts.includes('table') ? assembleTable(asked.settings) : measure(asked)
}

function assembleTable({ quick }: Settings): number {
  const order = Object.keys(parts)
  if (quick) console.log(toTable(readResults(quick), order))
  else writeFileSync(document, withTable(readFileSync(document, 'utf8'), readResults(), order))
  return 0
}

/** A missed target is a finding, not a failure. */
async function measure({ parts: names, settings }: Asked): Promise<number> {
  await compileContenders()
  const servers = await openServers()
  try {
    const machine = await readMachine(servers)
    const all: Finding[] = []
    for (const part of names) {
      console.error(`\n${part}`)
      const startedAt = performance.now()
      const findings = (await parts[part]?.(servers, settings)) ?? []
      const tookSeconds = Math.round((performance.now() - startedAt) / 1000)
      const measuredAt = new Date().toISOString()
      const path = saveResult({ part, measuredAt, tookSeconds, machine, findings }, settings.quick)
      console.error(`  took ${tookSeconds} s; kept in ${relative('', path)}`)
      all.push(...findings)
    }
    printFindings(machine, all)
    return 0
  } catch (error) {
    console.error(error)
    return 1
  } finally {
    await servers.close()
    removeCompiled()
  }
}

interface Asked {
  readonly parts: readonly string[]
  readonly settings: Settings
}

function readArguments(): Asked | string {
  try {
    const { positionals, values } = parseArgs({
      allowPositionals: true,
      options: {
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        against: { type: 'string' },
        quick: { type: 'boolean', default: false },
        profile: { type: 'boolean', default: false },
      },
    })
    const fewest = values.quick ? 1 : undefined
    return {
      parts: positionals.length === 0 ? usual : checkedNames(positionals),
      settings: {
        rounds: toPositive('rounds', values.rounds) ?? fewest,
        seconds: toPositive('seconds', values.seconds) ?? fewest,
        against: values.against,
        quick: values.quick,
        profile: values.profile,
      },
    }
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n${usage}`
  }
}

function checkedNames(names: readonly string[]): readonly string[] {
  const unknown = names.find((name) => name !== 'table' && !Object.hasOwn(parts, name))
  if (unknown !== undefined) throw new Error(`There is no part "${unknown}".`)
  if (names.includes('table') && names.length > 1) throw new Error('"table" stands alone.')
  return names
}

function toPositive(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new Error(`--${name} takes a whole number above 0, and was given "${text}".`)
}
