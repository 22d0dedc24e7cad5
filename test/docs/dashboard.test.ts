import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root, rowsIn, section } from './markdown.js'

const page = 'docs/dashboard.md'
const inventory = join(root, '../shared/reference/celery-flower.md')

describe.skipIf(!existsSync(inventory))('its table of what Flower has', () => {
  const told = rowsIn(section(page, 'From Flower'))

  test('says of every row what it is here', () => {
    const rows = rowsIn(sectionOf(readFileSync(inventory, 'utf8'), '9. Flower'))
    const names = new Set(told.map(([name]) => name))

    expect(rows.length).toBeGreaterThan(25)
    expect(rows.map(([name = '']) => name).filter((name) => !names.has(name))).toEqual([])
    expect(told.filter(([, here = '']) => here.trim().length < 20)).toEqual([])
  })
})

describe('docs/dashboard.md', () => {
  test('shows pictures that are there', () => {
    const named = codeless(readFileSync(join(root, page), 'utf8')).matchAll(/!\[[^\]]*\]\((?<file>[^)]+)\)/g)
    const missing = [...named]
      .map(({ groups }) => groups?.file ?? '')
      .filter((file) => !existsSync(join(root, 'docs', file)))

    expect(missing).toEqual([])
  })
})

function codeless(text: string): string {
  return text.replace(/```[\s\S]*?```/g, '')
}

function sectionOf(text: string, heading: string): string {
  const start = text.indexOf(`## ${heading}`)
  const end = text.indexOf('\n## ', start + 1)
  return text.slice(start, end === -1 ? undefined : end)
}
