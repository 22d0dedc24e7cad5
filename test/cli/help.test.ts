import { describe, expect, test } from 'vitest'
import { exitCodes } from '../../src/cli/kit.js'
import { moveLeading } from '../../src/cli/leading.js'
import { createProgram } from '../../src/cli/program.js'
import { commandsOf, helpOf } from '../docs/commands.js'
import { codeIn, rowsIn, section } from '../docs/markdown.js'
import { runCeleriac } from './command-line.js'

const commands = commandsOf(createProgram())
/** What goes on until it is ended, or prints no data. */
const withoutData = ['celeriac worker', 'celeriac dashboard', 'celeriac completion']
/** Their group says how they are called. */
const inGroups = /^celeriac (inspect|control) /

describe.each(commands)('$name', ({ name, command }) => {
  test('says what it does, in a sentence, and each flag and argument what it is', () => {
    expect(command.description()).toMatch(/^[A-Z].*\.$/s)
    const visible = command.createHelp().visibleOptions(command)
    for (const { flags, description } of visible) expect([flags, description]).not.toContain('')
    for (const argument of command.registeredArguments)
      expect([argument.name(), argument.description]).not.toContain('')
  })

  test.skipIf(inGroups.test(name))('ends its help with an example', () => {
    expect(helpOf(command)).toMatch(/\nExamples?:\n {2}.*celeriac /)
  })

  test.skipIf(withoutData.includes(name))('prints JSON where that is wanted', () => {
    expect(command.options.map(({ long }) => long)).toContain('--json')
  })

  test('speaks of exit codes that there are', () => {
    const said = Array.from(helpOf(command).matchAll(/\b(?:with|,|or) (\d)(?= (?:when|where|if|for|at)\b)/g))
    const known: number[] = Object.values(exitCodes)

    expect(said.map(([, code]) => Number(code)).filter((code) => !known.includes(code))).toEqual([])
  })
})

test('exit codes of the documents are those of the code', () => {
  const codes = rowsIn(section('docs/cli.md', 'Exit codes')).map((cells) => Number(codeIn(cells[0])[0]))

  expect(codes).toEqual(Object.values(exitCodes))
})

test.each([
  [
    ['-A', 'src', 'worker', '-c', '4'],
    ['worker', '-c', '4', '-A', 'src'],
  ],
  [
    ['--app=src', 'inspect', 'ping'],
    ['inspect', 'ping', '--app=src'],
  ],
  [
    ['-A', 'src', '--env-file', '.env', 'queues'],
    ['queues', '--env-file', '.env', '-A', 'src'],
  ],
  [
    ['-A', 'src', '__complete', '--', 'a'],
    ['__complete', '-A', 'src', '--', 'a'],
  ],
  [
    ['worker', '-A', 'src'],
    ['worker', '-A', 'src'],
  ],
  [['-A'], ['-A']],
])('flags of all commands may stand before the command: %j', (typed, meant) => {
  expect(moveLeading(typed)).toEqual(meant)
})

test('a command that is none is told with the nearest one, and Celery’s own with what to do', {
  timeout: 60_000,
}, async () => {
  const typo = await runCeleriac(['wroker'])
  const multi = await runCeleriac(['multi', 'start', '3', '-c', '2'])

  expect(typo).toMatchObject({ code: 2, out: '', err: expect.stringContaining('Did you mean worker?') })
  expect(multi).toMatchObject({ code: 1, out: '', err: expect.stringContaining('docs/deploy.md') })
})
