import { describe, expect, test } from 'vitest'
import { toStoredFilter } from '../../../../../src/control/filter.js'
import {
  ageFault,
  isWholeQueue,
  purgeFilter,
  purgeQuery,
  wholeQueue,
} from '../../../../../src/dashboard/web/page/queues/purge.js'

describe('a purge', () => {
  test('of a whole queue means all that waits in it, and nothing that runs', () => {
    expect(purgeFilter('mail', wholeQueue)).toEqual({
      queue: 'mail',
      state: ['scheduled', 'queued', 'retrying'],
    })
    expect(isWholeQueue(wholeQueue)).toBe(true)
  })

  test('counts what it will cancel', () => {
    const some = { task: 'mail.send', owner: ' 42 ', tag: 'vip', olderThan: '1h' }
    const filter = purgeFilter('mail', some)
    const asked = Object.entries(purgeQuery('mail', some)).map(([name, value]) => [
      name,
      Array.isArray(value) && name !== 'state' ? value[0] : value,
    ])
    expect(Object.fromEntries(asked)).toEqual(filter)
    expect(isWholeQueue(some)).toBe(false)
    expect(toStoredFilter(filter)).toMatchObject({ queues: ['mail'], owners: ['42'], tags: ['vip'] })
  })

  test.each([
    ['', undefined],
    ['12h', undefined],
    ['12', 'A time, as 30m, 12h or 7d.'],
    ['yesterday', 'A time, as 30m, 12h or 7d.'],
  ])('older than %j', (olderThan, fault) => {
    expect(ageFault({ ...wholeQueue, olderThan })).toBe(fault)
  })
})
