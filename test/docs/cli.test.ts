import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { exitCodes } from '../../src/cli/kit.js'
import { createProgram } from '../../src/cli/program.js'
import { describeCommands, describeShared } from './commands.js'
import { codeIn, read, root, rowsIn, section } from './markdown.js'

const page = 'docs/cli.md'

describe('docs/cli.md', () => {
  // Write it anew: UPDATE_DOCS=1 npx vitest run test/docs/cli.test.ts
  test('describes every command and flag, and no other', () => {
    const program = createProgram()
    const pages = `\n${describeShared(program)}\n${describeCommands(program)}`
    const parts = /^([\s\S]*<!-- commands -->\n)([\s\S]*)(<!-- \/commands -->[\s\S]*)$/.exec(read(page))
    const [, before = '', found = '', after = ''] = parts ?? []
    if (process.env.UPDATE_DOCS) writeFileSync(join(root, page), `${before}${pages}${after}`)
    else expect(found).toBe(pages)
  })

  test('names every exit code', () => {
    const codes = rowsIn(section(page, 'Exit codes')).map((cells) => Number(codeIn(cells[0])[0]))

    expect(codes.sort()).toEqual(Object.values(exitCodes).sort())
  })
})

const inventory = join(root, '../shared/reference/celery-flower.md')

describe.skipIf(!existsSync(inventory))('its table of what Celery has', () => {
  const celery = section(page, 'From Celery')

  test.each(['5. Workers', '6. Monitoring and management CLI'])('leaves nothing out of %s', (heading) => {
    const rows = rowsIn(sectionOf(readFileSync(inventory, 'utf8'), heading))
    const missing = rows
      .flatMap(([name = '', how = '']) => wordsOf(name, how))
      .filter((word) => !celery.includes(word))

    expect(rows.length).toBeGreaterThan(25)
    expect(missing).toEqual([])
  })
})

/** The row's name, the commands in it, and every flag that it speaks of. */
function wordsOf(name: string, how: string): string[] {
  const flags = `${name} ${how}`.match(/(?<![\w-])--?[a-zA-Z][\w-]*/g) ?? []
  return [name, ...codeIn(name), ...flags]
}

function sectionOf(text: string, heading: string): string {
  const start = text.indexOf(`## ${heading}`)
  const end = text.indexOf('\n## ', start + 1)
  return text.slice(start, end === -1 ? undefined : end)
}
