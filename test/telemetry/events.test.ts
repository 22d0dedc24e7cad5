import { expect, test, vi } from 'vitest'
import { createEvents, eventNames } from '../../src/telemetry/events.js'

function open() {
  const log: string[] = []
  return { log, events: createEvents({ error: (message) => void log.push(message) }) }
}

const lost = { worker: { id: '1', name: 'w' } }

test('listeners are called in the order in which they came', () => {
  const { events } = open()
  const heard: string[] = []
  events.on('worker.lost', ({ worker }) => void heard.push(`first ${worker.name}`))
  events.on('worker.lost', ({ worker }) => void heard.push(`second ${worker.name}`))

  events.emit('worker.lost', lost)

  expect(heard).toEqual(['first w', 'second w'])
})

test('whether anybody listens is known, so that nobody makes events for nobody', () => {
  const { events } = open()
  expect(eventNames.filter((name) => events.has(name))).toEqual([])
  const listener = () => {}
  events.on('worker.lost', listener)
  const off = events.on('job.lost', listener)
  expect(eventNames.filter((name) => events.has(name))).toEqual(['job.lost', 'worker.lost'])

  events.off('worker.lost', listener)
  off()

  expect(eventNames.filter((name) => events.has(name))).toEqual([])
})

test('a listener may take itself off, and misses nobody a turn', () => {
  const { events } = open()
  const heard: number[] = []
  const off = events.on('worker.lost', () => {
    heard.push(1)
    off()
  })
  events.on('worker.lost', () => void heard.push(2))

  events.emit('worker.lost', lost)
  events.emit('worker.lost', lost)

  expect(heard).toEqual([1, 2, 2])
})

test.each<[string, () => unknown]>([
  ['an error', () => fail(new Error('no'))],
  ['nothing', () => fail(undefined)],
  [
    'what cannot be read',
    () => fail(Object.defineProperty({}, 'message', { get: () => fail(new Error('x')) })),
  ],
  ['an error, later', () => Promise.reject(new Error('no'))],
  ['an error of a promise that is not ours', () => new Lazy()],
])('a listener that throws %s is logged, and harms nobody', async (_, listener) => {
  const { events, log } = open()
  const other = vi.fn()
  events.on('worker.lost', listener)
  events.on('worker.lost', other)

  events.emit('worker.lost', lost)
  await new Promise(setImmediate)

  expect(other).toHaveBeenCalledOnce()
  expect(log).toEqual([expect.stringMatching(/^A listener of "worker\.lost" threw: /)])
})

test('a name that is none is refused, with a hint', () => {
  const { events } = open()

  expect(() => events.on('job.succeded' as never, () => {})).toThrow('Did you mean "job.succeeded"?')
  expect(() => events.on('toString' as never, () => {})).toThrow('There is no event "toString".')
  expect(() => events.on(Symbol('x') as never, () => {})).toThrow('There is no event')
  expect(() => events.on('job.failed', 'log it' as never)).toThrow('must be a function')
})

/** As queries of some libraries are: nothing happens until somebody waits. */
class Lazy {
  // biome-ignore lint/suspicious/noThenProperty: it is what is tested
  then(_: unknown, reject: (error: unknown) => void): void {
    reject(null)
  }
}

function fail(thrown: unknown): never {
  throw thrown
}
