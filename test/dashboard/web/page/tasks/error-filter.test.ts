import { describe, expect, test } from 'vitest'
import { toPattern } from '../../../../../src/dashboard/api/error-groups.js'
import { errorQuery } from '../../../../../src/dashboard/web/page/tasks/error-filter.js'
import { parseQuery } from '../../../../../src/job/query/parse.js'

describe('the failures of a group, as a query', () => {
  test.each([
    ['No mail server for "a@b.invalid" (tried 3)', 'error:"No mail server for" error:"(tried"'],
    ['42 cents are more than customer 7 may spend', 'error:"cents are more than customer" error:"may spend"'],
    ['connect ECONNREFUSED 10.0.0.7:5432', 'error:"connect ECONNREFUSED"'],
    ['12', ''],
    ['a \\ and a * in it', 'error:"a \\\\ and a \\* in it"'],
  ])('%s', (message, said) => {
    const query = errorQuery({ name: 'MailError', message: toPattern(message) })
    expect(query).toBe(`error.name:"MailError" ${said}`.trim())
    expect(parseQuery(query)).not.toHaveProperty('fault')
  })

  test('its pieces are all in the message that it is of', () => {
    const message = `Job 01890a5d-ac96-774b-bcce-b302099a8057 of 'ann' at https://example.com/x?y=1 took ${'very '.repeat(80)}long`
    const query = errorQuery({ name: 'E', message: toPattern(message) })
    const pieces = [...query.matchAll(/error:"([^"]*)"/g)].map(([, piece]) => piece)
    expect(pieces.length).toBeGreaterThan(1)
    for (const piece of pieces) expect(message).toContain(piece)
    expect(query.length).toBeLessThan(600)
  })
})
