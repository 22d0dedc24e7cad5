import { expect, onTestFinished, test } from 'vitest'
import type { HealthReason } from '../../src/telemetry/readiness.js'
import { watchCondition } from '../../src/worker/condition.js'
import { until } from '../support/until.js'

function open() {
  const worker = {
    id: '',
    holdsLease: false,
    isStopping: false,
    running: 0,
    reserved: 0,
    unsettled: 0,
    processed: 0,
    concurrency: 1,
    served: { queues: [], open: [], isOpen: () => false },
  }
  const state = { taking: [] as HealthReason[] }
  const condition = watchCondition({
    worker,
    taking: { broker: {} as never, look: async () => state.taking },
  })
  onTestFinished(condition.close)
  return { worker, state, codes: () => condition.reasons.map(({ code }) => code) }
}

test('a worker starts, holds its lease, may lose it, and stops', () => {
  const { worker, codes } = open()
  expect(codes()).toEqual(['starting'])

  Object.assign(worker, { id: 'w', holdsLease: true })
  expect(codes()).toEqual([])

  worker.holdsLease = false
  expect(codes()).toEqual(['lease-lost'])
  worker.id = ''
  expect(codes()).toEqual(['lease-lost'])

  Object.assign(worker, { id: 'x', holdsLease: true })
  expect(codes()).toEqual([])

  worker.isStopping = true
  expect(codes()).toEqual(['stopping'])
})

test('that it takes nothing is seen by itself', async () => {
  const { worker, state, codes } = open()
  Object.assign(worker, { id: 'w', holdsLease: true })

  state.taking = [{ code: 'takes-no-jobs', message: 'It takes none.' }]

  await until(() => codes().includes('takes-no-jobs'))
})
