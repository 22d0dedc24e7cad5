import { expect, test } from 'vitest'
import { describeFields } from '../../src/job/query/fields.js'
import { parseQuery } from '../../src/job/query/parse.js'
import { codeIn, read, rowsIn, section } from './markdown.js'

const page = 'docs/query.md'

test('docs/query.md describes every field, and no other', () => {
  const described = rowsIn(section(page, 'Fields')).map(([name, aliases, operators, about, examples]) => ({
    name: codeIn(name)[0],
    aliases: codeIn(aliases),
    about,
    operators: codeIn(operators),
    examples: codeIn(examples),
  }))

  expect(described).toEqual(describeFields())
})

test('whatever it shows as a query is one', () => {
  const shown = [
    ...rowsIn(section(page, 'How it reads')).flatMap(([written]) => codeIn(written)),
    ...codeIn(section(page, 'Values by their path')).filter((code) => /^\w+\..*[:><]/.test(code)),
    ...Array.from(read(page).matchAll(/query(?:: | )'([^']+)'/g), ([, query = '']) => query),
  ]

  expect(shown.length).toBeGreaterThan(30)
  for (const query of shown) expect([query, parseQuery(query)]).toEqual([query, { tree: expect.anything() }])
})
