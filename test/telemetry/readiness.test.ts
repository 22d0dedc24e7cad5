import { expect, test } from 'vitest'
import type { Health } from '../../src/telemetry/health.js'
import { createReadiness, type HealthReason, without } from '../../src/telemetry/readiness.js'

/** A process whose parts do as they are told, and a clock that the test moves. */
function open() {
  const state = {
    now: 0,
    health: { status: 'ok', store: 'up', broker: 'up' } as Health,
    lacksTables: false,
    unserved: async (): Promise<string[]> => [],
    lookedAt: 0,
    ofWorkers: [] as HealthReason[],
  }
  const readiness = createReadiness({
    health: async () => state.health,
    lacksTables: async () => state.lacksTables,
    unservedQueues() {
      state.lookedAt += 1
      return state.unserved()
    },
    ofWorkers: () => state.ofWorkers,
    now: () => state.now,
  })
  const codes = async () => {
    state.now += 10_000
    return (await readiness()).reasons.map(({ code }) => code)
  }
  return { readiness, codes, state }
}

const takesNone: HealthReason = { code: 'takes-no-jobs', message: 'It takes none.' }

test('a process that nothing hinders is ready', async () => {
  const { readiness } = open()

  expect(await readiness()).toEqual({ ready: true, reasons: [] })
})

test('each thing that hinders it is named', async () => {
  const { codes, state } = open()

  state.unserved = async () => ['mail', 'media']
  expect(await codes()).toEqual(['queue-unserved', 'queue-unserved'])

  state.health = { status: 'degraded', store: 'up', broker: 'down' }
  state.ofWorkers = [takesNone]
  expect(await codes()).toEqual(['broker-away', 'takes-no-jobs', 'queue-unserved', 'queue-unserved'])

  state.health = { status: 'down', store: 'down', broker: 'down' }
  expect(await codes()).toEqual(['store-away', 'broker-away', 'takes-no-jobs'])

  state.lacksTables = true
  expect(await codes()).toEqual(['tables-missing', 'broker-away', 'takes-no-jobs'])

  state.health = { status: 'ok', store: 'up', broker: 'up' }
  state.unserved = async () => []
  state.ofWorkers = []
  expect(await codes()).toEqual([])
})

test('a queue is named with its name, and nothing else is', async () => {
  const { readiness, state } = open()
  state.unserved = async () => ['mail']

  const [reason] = (await readiness()).reasons

  expect(reason?.message).toBe('Jobs wait in queue "mail", and no live worker serves it.')
})

test('however many ask within a second, it is looked once, and for queues every two', async () => {
  const { readiness, state } = open()

  await Promise.all([readiness(), readiness(), readiness()])
  state.now = 999
  await readiness()
  state.now = 1999
  await readiness()
  expect(state.lookedAt).toBe(1)

  state.now = 3000
  await readiness()
  expect(state.lookedAt).toBe(2)
})

test('where nobody can say for a moment who serves a queue, what was known holds', async () => {
  const { codes, state } = open()
  state.unserved = async () => ['mail']
  await codes()

  state.unserved = () => Promise.reject(new Error('busy'))

  expect(await codes()).toEqual(['queue-unserved'])
})

test('what somebody does not care for is left out', () => {
  const readiness = { ready: false, reasons: [takesNone] }

  expect(without(readiness, ['takes-no-jobs'])).toEqual({ ready: true, reasons: [] })
  expect(without(readiness, ['broker-away'])).toEqual(readiness)
})
