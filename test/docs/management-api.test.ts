import { expect, test } from 'vitest'
import { routeNames } from '../../src/dashboard/api/api.js'
import { actions } from '../../src/dashboard/api/jobs.js'
import { orders } from '../../src/dashboard/api/orders.js'
import { questions } from '../../src/dashboard/api/questions.js'
import { codeIn, read, rowsIn, section } from './markdown.js'

const page = 'docs/management-api.md'

test('docs/management-api.md has every address', () => {
  const documented = rowsIn(section(page, 'Addresses')).map(([method, path]) =>
    [codeIn(method)[0], codeIn(path)[0]].join(' '),
  )

  expect(documented).toEqual(routeNames)
})

test('it has every question', () => {
  const [, named = ''] = /^Questions: (.+)\.$/m.exec(read(page)) ?? []

  expect(codeIn(named)).toEqual(Object.keys(questions))
})

test('it has every verb, with bodies that have its arguments', () => {
  const rows = rowsIn(section(page, 'Verbs'))

  expect(rows.map(([verb]) => codeIn(verb)[0])).toEqual(Object.keys(orders))
  for (const [verb, body, whom] of rows) {
    const order = orders[codeIn(verb)[0] as keyof typeof orders]
    const bodies = codeIn(body).filter((code) => code.startsWith('{'))
    const names = bodies.flatMap((code) => Object.keys(JSON.parse(code)))
    for (const name of names) expect(order?.arguments).toContain(name)
    expect(whom).toBe(order?.isForAll ? 'all' : 'workers')
  }
})

test('it has every action on jobs, with bodies that have its arguments', () => {
  const rows = rowsIn(section(page, 'Jobs'))

  expect(rows.map(([action]) => codeIn(action)[0])).toEqual(Object.keys(actions))
  for (const [action, body] of rows) {
    const known = actions[codeIn(action)[0] as keyof typeof actions].arguments
    const named = codeIn(body).flatMap((code) => Object.keys(JSON.parse(code)))
    expect(named).toEqual([...known])
  }
})
