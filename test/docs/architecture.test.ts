import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createProgram } from '../../src/cli/program.js'
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

// docs/cli.md has all of them.
test('the README names flags of the worker as they are', () => {
  const worker = createProgram().commands.find((command) => command.name() === 'worker')
  const flags = worker?.options.map((option) => option.flags)
  const listed = rowsIn(section('README.md', 'Workers')).map(([flag]) => codeIn(flag)[0])

  expect(listed.length).toBeGreaterThan(5)
  expect(listed.filter((flag) => !flags?.includes(flag ?? ''))).toEqual([])
})
