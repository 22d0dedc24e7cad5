import { expect, test } from 'vitest'
import { codeIn, read, rowsIn, section } from './markdown.js'

test('docs/tracing.md has every attribute that a span may have, and no other', () => {
  const written = new Set(
    [...read('src/opentelemetry/tracing.ts').matchAll(/'((?:messaging|celeriac|error)\.[a-z_.]+)'/g)].map(
      ([, name]) => name,
    ),
  )
  const documented = rowsIn(section('docs/tracing.md', 'Attributes')).flatMap(([names]) => codeIn(names))

  expect(documented.sort()).toEqual([...written].sort())
})
