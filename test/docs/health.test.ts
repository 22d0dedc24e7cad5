import { expect, test } from 'vitest'
import { checks } from '../../src/check/list.js'
import { healthCodes } from '../../src/telemetry/readiness.js'
import { codeIn, rowsIn, section } from './markdown.js'

const page = 'docs/health.md'

test('docs/health.md has every reason, and no other', () => {
  expect(namesIn(section(page, 'Reasons'))).toEqual([...healthCodes])
})

test('docs/health.md has every check, in its order, and no other', () => {
  expect(namesIn(section(page, 'celeriac check'))).toEqual(checks.map(({ id }) => id))
})

function namesIn(text: string): string[] {
  return rowsIn(text).flatMap((cells) => codeIn(cells[0]).slice(0, 1))
}
