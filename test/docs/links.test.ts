import { existsSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { anchorsOf, documents, read, root, withoutBlocks } from './markdown.js'

describe.each(documents())('%s', (path) => {
  test('links to files and headings that exist', () => {
    const missing = linksIn(path).filter((link) => !leadsSomewhere(path, link))

    expect(missing).toEqual([])
  })
})

function linksIn(path: string): string[] {
  const links = withoutBlocks(read(path)).matchAll(/\]\(([^)\s]+)\)/g)
  return Array.from(links, ([, link = '']) => link).filter((link) => !/^https?:/.test(link))
}

function leadsSomewhere(from: string, link: string): boolean {
  const [file = '', anchor] = link.split('#')
  const path = file === '' ? from : relative(root, join(root, dirname(from), file))
  if (!existsSync(join(root, path))) return false
  return anchor === undefined || anchorsOf(read(path)).includes(anchor)
}
