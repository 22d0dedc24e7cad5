import { expect, test } from 'vitest'
import { problem } from '../../src/http/problem.js'
import { routes } from '../../src/http/route.js'
import { moves } from '../../src/job/state.js'
import { codeIn, read, rowsIn, section } from './markdown.js'

test('docs/http.md has every problem code with its status', () => {
  const documented = rowsIn(section('docs/http.md', 'Problems')).map(([code, status]) => [
    codeIn(code)[0],
    Number(status),
  ])

  expect(documented).toEqual(documented.map(([code]) => [code, problem(String(code), '').status]))
  expect(documented.map(([code]) => code).sort()).toEqual([...codesOfTheTable(), 'INTERNAL'].sort())
})

test('docs/http.md has every endpoint', () => {
  const documented = rowsIn(section('docs/http.md', 'Endpoints')).map(([method, path]) =>
    [codeIn(method)[0], codeIn(path)[0]].join(' '),
  )

  for (const { method, rest } of routes) expect(documented).toContain(`${method} /jobs/:id${rest}`)
  expect(documented).toContain('GET /jobs/health')
})

test('docs/job-lifecycle.md has the table of moves', () => {
  const rows = rowsIn(section('docs/job-lifecycle.md', 'States'))
  const documented = rows
    .filter(([, to]) => codeIn(to).length > 1)
    .map(([from, to]) => [codeIn(from)[0], codeIn(to)])

  expect(Object.fromEntries(documented)).toEqual(
    Object.fromEntries(Object.entries(moves).filter(([, to]) => to.length > 0)),
  )
})

/** The table itself is private to its file. */
function codesOfTheTable(): string[] {
  const [, table = ''] = /const rules[\s\S]*?\(\[([\s\S]*?)\n\]\)/.exec(read('src/http/problem.ts')) ?? []
  return Array.from(table.matchAll(/'([A-Z_]+)',/g), ([, code = '']) => code)
}
