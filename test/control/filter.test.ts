import { describe, expect, test } from 'vitest'
import { toNamedTasks, toStoredFilter } from '../../src/control/filter.js'
import { toBulkFilter, toPlan } from '../../src/control/operation-plan.js'

describe('a written query in a filter', () => {
  test('that makes no sense is refused with its words', () => {
    expect(() => toStoredFilter({ query: 'state:faild' })).toThrow(
      '"query" makes no sense. "faild", at character 7, is no state. Did you mean "failed"?',
    )
    expect(() => toStoredFilter({ query: { not: '' } as unknown as string })).toThrow(
      '"query" must be a written query, as state:failed, and is an object.',
    )
  })

  test('that says nothing says nothing', () => {
    expect(toStoredFilter({ query: '  ' })).toEqual({})
  })

  test('means the same for as long as it is asked', () => {
    const { query } = toStoredFilter({ query: 'created>1h' })

    expect(query).toMatchObject({ kind: 'time', moment: { at: expect.stringMatching(/^\d{4}-.*Z$/) } })
  })

  test('names a task by all its names', () => {
    const namesOf = (task: string) => (task === 'mail.send' ? ['mail.send', 'mail.old'] : [task])

    expect(
      toNamedTasks(toStoredFilter({ task: 'mail.send', query: '-task:mail.send,a*,b' }), namesOf),
    ).toEqual({
      tasks: ['mail.send', 'mail.old'],
      query: {
        kind: 'not',
        of: { kind: 'name', field: 'task', among: ['mail.send', 'mail.old', { like: ['a', ''] }, 'b'] },
      },
    })
  })

  test('that means only jobs for which an action has no sense is refused', () => {
    expect(() => toBulkFilter('retry', { query: 'state:queued or is:running' })).toThrow(
      '"retry" means jobs that are failed, cancelled or expired, and the filter only those that are queued or running.',
    )
    expect(toBulkFilter('retry', { query: '-is:failed' }).states).toEqual(['cancelled', 'expired'])
  })
})

test('a delete by a filter is one of the states that were meant, whatever becomes of a job meanwhile', () => {
  expect(toPlan('delete', { state: ['queued', 'scheduled'] }, {}).deed).toEqual({
    action: 'delete',
    states: ['queued', 'scheduled'],
  })
  expect(toPlan('delete', { query: 'is:failed' }, {}).deed).toEqual({ action: 'delete', states: ['failed'] })
  expect(toPlan('delete', ['018f0000-0000-7000-8000-000000000001'], {}).deed).toEqual({ action: 'delete' })
})
