import { expect, test } from 'vitest'
import { createHealth } from '../../src/telemetry/health.js'
import { gate } from '../support/lab.js'

/** Two servers that do as they are told, and a clock that the test moves. */
function open() {
  const state = {
    now: 0,
    asked: 0,
    store: async (): Promise<void> => {},
    broker: async (): Promise<void> => {},
  }
  const health = createHealth({
    store() {
      state.asked += 1
      return state.store()
    },
    broker: () => state.broker(),
    deadlineMs: 50,
    now: () => state.now,
  })
  return { health, state }
}

const away = () => Promise.reject(new Error('away'))

test.each([
  [true, true, 'ok'],
  [true, false, 'degraded'],
  [false, true, 'down'],
  [false, false, 'down'],
])('store %s, broker %s: %s', async (store, broker, status) => {
  const { health, state } = open()
  if (!store) state.store = away
  if (!broker) state.broker = away

  expect(await health()).toEqual({ status, store: store ? 'up' : 'down', broker: broker ? 'up' : 'down' })
})

test('all who ask within a second get one answer, and the next one is new', async () => {
  const { health, state } = open()

  await Promise.all([health(), health(), health()])
  state.store = away
  state.now = 999
  expect((await health()).status).toBe('ok')
  expect(state.asked).toBe(1)

  state.now = 1000
  expect((await health()).status).toBe('down')
  expect(state.asked).toBe(2)
})

test('a server that does not answer in time is down', async () => {
  const { health, state } = open()
  const never = gate()
  state.broker = () => never.passed

  expect((await health()).broker).toBe('down')
  never.open()
})
