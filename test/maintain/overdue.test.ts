import { describe, expect, test } from 'vitest'
import { overduePass } from '../../src/maintain/overdue.js'
import { brokers } from '../support/lab.js'
import { until } from '../support/until.js'
import { addRows, openGround, statesOf } from './ground.js'

describe.each(brokers)('the overdue pass, on %s', (kind) => {
  test('sends again, under a new number, what should have been taken by now', async () => {
    const ground = await openGround(kind)
    const late = [
      ...(await addRows(ground, 2, { state: 'scheduled', due: '-5 seconds' })),
      ...(await addRows(ground, 2, { state: 'retrying', due: '-5 seconds' })),
    ]
    await addRows(ground, 2, { state: 'scheduled', due: '-1 second' })
    await addRows(ground, 2, { state: 'scheduled', due: '5 seconds' })
    await addRows(ground, 2, { state: 'running', due: '-5 seconds' })

    expect(await ground.round(overduePass)).toBe(4)

    const { taken } = ground.take('default')
    await until(() => taken.length === 4)
    expect(taken.map(({ jobId }) => jobId).sort()).toEqual(late.sort())
    expect(new Set(taken.map(({ number }) => number))).toEqual(new Set([2]))
    expect(await statesOf(ground)).toEqual({ queued: 4, running: 2, scheduled: 4 })
    expect(ground.told).toEqual([
      'info: 4 delayed jobs should have started by now, and went to the broker again.',
    ])
    expect(await ground.round(overduePass)).toBeUndefined()
  })

  test('goes on in the next round when its time is over', async () => {
    const ground = await openGround(kind)
    await addRows(ground, 1500, { state: 'scheduled', due: '-5 seconds' })
    let looks = 0

    expect(await ground.round(overduePass, () => ++looks <= 1)).toBe(1000)
    expect(await ground.round(overduePass)).toBe(500)
  })
})
