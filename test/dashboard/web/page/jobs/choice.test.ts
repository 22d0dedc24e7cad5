import { describe, expect, test } from 'vitest'
import {
  countFit,
  fitStates,
  readChoice,
  toWhich,
  writeChoice,
} from '../../../../../src/dashboard/web/page/jobs/choice.js'

const some = (...ids: string[]) => ({ kind: 'some', ids: new Set(ids) }) as const

describe('the chosen jobs', () => {
  test.each([
    ['', some()],
    ['a,b', some('a', 'b')],
    ['all', { kind: 'all' } as const],
  ])('stand in the address as "%s"', (text, choice) => {
    expect(readChoice(text)).toEqual(choice)
    expect(writeChoice(choice)).toBe(text)
  })

  test('by id are named, whatever the list was asked', () => {
    expect(toWhich('retry', some('a'), { state: ['failed'], createdAfter: '24h' }, ['failed'])).toEqual({
      ids: ['a'],
    })
  })

  test('of which all match are those of the list in a state for the action, and no others', () => {
    const query = { query: 'task:a', queue: ['mail'], createdAfter: '24h', minDuration: '5m' }

    expect(toWhich('retry', { kind: 'all' }, query, ['failed', 'running'])).toEqual({
      filter: { ...query, state: ['failed'] },
    })
    expect(toWhich('promote', { kind: 'all' }, {}, [])).toEqual({
      filter: { state: ['scheduled', 'retrying'] },
    })
  })

  test('are never more than the list shows, where a duration is none', () => {
    expect(() => toWhich('delete', { kind: 'all' }, { minDuration: 'long' }, [])).toThrow(
      '"long" is no duration',
    )
  })

  test('can be acted on where one of them is in a state for it', () => {
    const rows = [
      { id: 'a', state: 'failed' },
      { id: 'b', state: 'running' },
      { id: 'c', state: 'failed' },
    ] as const

    expect(countFit('retry', new Set(['a', 'b']), rows)).toBe(1)
    expect(countFit('promote', new Set(['a', 'b']), rows)).toBe(0)
    expect(fitStates('cancel', ['failed', 'succeeded'])).toEqual([])
    expect(fitStates('cancel', ['failed', 'queued'])).toEqual(['queued'])
  })
})
