import type { Command } from 'commander'
import type { Finding } from '../check/check.js'
import { readEnvironment } from '../config/env.js'
import { type CommonFlags, common, exitCodes, exitWith, paint, print, printJson } from './kit.js'

interface CheckFlags extends CommonFlags {
  readonly strict?: boolean
}

export function addCheck(program: Command): void {
  common(program.command('check'))
    .description(
      'Look whether configuration, servers, tables and workers are as they must be, and say what to do.',
    )
    .option('--strict', 'exit with 1 for warnings, too')
    .addHelpText(
      'after',
      '\nChanges nothing. Exits with 1 when something is wrong. See docs/health.md.\n\nExample:\n  celeriac check --strict',
    )
    .action(check)
}

async function check(flags: CheckFlags): Promise<void> {
  const { readConfigOrDefaults } = await import('./open.js')
  const { gatherFacts } = await import('../check/facts.js')
  const { judgeAll } = await import('../check/check.js')
  const { checks } = await import('../check/list.js')
  const facts = await gatherFacts({
    environment: readEnvironment(),
    node: process.version,
    readConfig: () => readConfigOrDefaults(flags),
  })
  const findings = judgeAll(checks, facts)
  const has = (level: Finding['level']) => findings.some((finding) => finding.level === level)
  const isWell = !has('fault') && !(flags.strict && has('warning'))
  if (flags.json) printJson({ ok: isWell, findings })
  else print([...judged(findings).map(toLines), ...notJudged(findings), '', summaryOf(findings)].join('\n'))
  exitWith(isWell ? exitCodes.done : exitCodes.fault)
  // What a tasks file opened when it was loaded may keep the process alive.
  process.stdout.write('', () => process.exit())
}

function judged(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ level }) => level !== 'skipped')
}

/** What stands on something that is not there, or has no meaning here: in one line. */
function notJudged(findings: readonly Finding[]): readonly string[] {
  const titles = findings.filter(({ level }) => level === 'skipped').map(({ title }) => title)
  return titles.length === 0 ? [] : [paint('dim', `- not judged: ${titles.join(', ')}`)]
}

const signs: Readonly<Record<Finding['level'], () => string>> = {
  ok: () => paint('green', '✓'),
  warning: () => paint('yellow', '!'),
  fault: () => paint('red', '✗'),
  skipped: () => '-',
}

/** One line for what is well, two for what is not. */
function toLines({ title, level, message, cure }: Finding): string {
  const sign = signs[level]()
  if (level === 'ok') return `${sign} ${title}: ${message}`
  return `${sign} ${paint('bold', title)}: ${message}\n    ${cure?.replaceAll('\n', '\n    ')}`
}

function summaryOf(findings: readonly Finding[]): string {
  const count = (level: Finding['level']) => findings.filter((finding) => finding.level === level).length
  const [faults, warnings] = [count('fault'), count('warning')]
  if (faults + warnings === 0) return 'All is well.'
  return `${faults} ${faults === 1 ? 'fault' : 'faults'}, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}.`
}
