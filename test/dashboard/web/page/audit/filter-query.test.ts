import { describe, expect, test } from 'vitest'
import { filterToQuery } from '../../../../../src/dashboard/web/page/audit/filter-query.js'
import { parseQuery } from '../../../../../src/job/query/parse.js'

describe('a filter as a query', () => {
  test.each([
    [{}, ''],
    [null, ''],
    [{ state: 'failed', task: ['a.b', 'c d'] }, 'state:failed task:a.b,"c d"'],
    [{ owner: null, tag: 'none' }, 'owner:none tag:"none"'],
    [{ queue: 'a*b' }, 'queue:"a\\*b"'],
    [
      { createdAfter: '1h', finishedBefore: '2030-01-31T08:00:00.000Z' },
      'created>=1h ended<2030-01-31T08:00:00Z',
    ],
    [{ minDuration: 1500, maxDuration: '2m', minAttempts: 3 }, 'duration>=1500ms duration<=2m attempts>=3'],
    [
      { errorName: 'TypeError', error: 'a "b" *', text: 'x:y' },
      'error.name:"TypeError" error:"a \\"b\\" \\*" "x:y"',
    ],
    [{ query: 'state:failed or tag:vip' }, 'state:failed or tag:vip'],
    [{ queue: 'mail', query: 'state:failed or tag:vip' }, 'queue:mail (state:failed or tag:vip)'],
  ])('%j', (filter, query) => {
    expect(filterToQuery(filter)).toBe(query)
    expect(parseQuery(query)).not.toHaveProperty('fault')
  })
})
