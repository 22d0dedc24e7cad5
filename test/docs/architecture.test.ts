import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createPasses } from '../../src/maintain/maintain.js'
import { codeIn, read, root, rowsIn, section } from './markdown.js'

const page = 'docs/architecture.md'
const manifest = JSON.parse(read('package.json')) as Record<
  'dependencies' | 'peerDependencies' | 'bin',
  Record<string, string>
>

test('docs/architecture.md gives a reason for each dependency, and for each peer', () => {
  const named = rowsIn(section(page, 'Dependencies')).flatMap(([packages]) => codeIn(packages))

  expect(named.sort()).toEqual(
    [...Object.keys(manifest.dependencies), ...Object.keys(manifest.peerDependencies)].sort(),
  )
})

test('it has every folder of src, and files that exist', () => {
  const text = read(page)
  const folders = readdirSync(join(root, 'src'), { withFileTypes: true }).filter((entry) =>
    entry.isDirectory(),
  )
  const listed = rowsIn(section(page, 'Folders, and the one direction of imports')).flatMap(([cell]) =>
    codeIn(cell),
  )

  for (const { name } of folders) expect(listed).toContain(`${name}/`)
  for (const path of codeIn(text).filter((code) => /^[a-z]+\/[a-z-]+\.ts$/.test(code)))
    expect(existsSync(join(root, 'src', path)), path).toBe(true)
})

test('a job’s life has every maintenance pass', () => {
  const listed = rowsIn(section('docs/job-lifecycle.md', 'Maintenance')).flatMap(([name]) => codeIn(name))

  expect(listed.sort()).toEqual(
    createPasses()
      .map(({ name }) => name)
      .sort(),
  )
})

test('the README has every flag of the worker', () => {
  const source = read('src/cli/main.ts')
  const [, worker = ''] = /\.command\('worker'\)([\s\S]*?)\.action\(/.exec(source) ?? []
  const flags = [...worker.matchAll(/'((?:-\w, )?--[^']+)'/g)].map(([, flag]) => flag)
  const shared = [...source.matchAll(/new Option\('([^']+)'/g)].map(([, flag]) => flag)
  const listed = rowsIn(section('README.md', 'Workers')).map(([flag]) => codeIn(flag)[0])

  expect(listed.sort()).toEqual([...flags, ...shared].sort())
})
