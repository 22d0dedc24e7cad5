import { describe, expect, test } from 'vitest'
import { runBody, runFaults, usualRun } from '../../../../../src/dashboard/web/page/tasks/run-request.js'

describe('a run by hand', () => {
  test('says nothing that is not said, and belongs to nobody', () => {
    expect(runBody(undefined, usualRun)).toEqual({ owner: null })
    expect(runBody(null, usualRun)).toEqual({ payload: null, owner: null })
  })

  test('says all that is said, as the API takes it', () => {
    const options = {
      ...{ delay: ' 30s ', expiresIn: '1h', timeLimit: '5m', queue: 'slow', priority: '5', attempts: '2' },
      ...{ owner: 'customer-7', tags: ' a, b ,, ' },
    }
    expect(runBody({ a: 1 }, options)).toEqual({
      ...{ payload: { a: 1 }, delay: '30s', expiresIn: '1h', timeLimit: '5m', queue: 'slow' },
      ...{ priority: 5, attempts: 2, owner: 'customer-7', tags: ['a', 'b'] },
    })
    expect(runFaults(options)).toEqual({})
  })

  test.each([
    [{ delay: '30' }, 'delay'],
    [{ expiresIn: 'soon' }, 'expiresIn'],
    [{ priority: '-1' }, 'priority'],
    [{ attempts: '0' }, 'attempts'],
    [{ attempts: '1.5' }, 'attempts'],
  ])('%j is wrong', (change, name) => {
    expect(Object.keys(runFaults({ ...usualRun, ...change }))).toEqual([name])
  })
})
