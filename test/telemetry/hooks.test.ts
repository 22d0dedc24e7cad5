import { expect, test } from 'vitest'
import type { JobFacts } from '../../src/job/facts.js'
import type { Hooks } from '../../src/task/hooks.js'
import { createEvents } from '../../src/telemetry/events.js'
import { createHookCaller, type HookedTask } from '../../src/telemetry/hooks.js'
import { gate } from '../support/lab.js'

function open(
  task: Partial<HookedTask> = {},
  settings: { shared?: Hooks; limitMs?: number; most?: number } = {},
) {
  const log: string[] = []
  const write = (message: string) => void log.push(message)
  const events = createEvents({ error: write })
  const caller = createHookCaller({
    events,
    shared: undefined,
    log: { warn: write, error: write },
    limitMs: 50,
    ...settings,
  })
  caller.watch(new Map([['known', { hooks: undefined, parsePayload: JSON.parse, ...task }]]))
  return { log, events, caller }
}

function jobOf(id: string, task = 'known'): JobFacts {
  return { id, task, queue: 'q', maxAttempts: 1, owner: null, requestId: null, parentId: null }
}

function succeeded(id: string, task?: string) {
  return { job: jobOf(id, task), attempt: 1, worker: 'w', ms: 1 }
}

const particulars = { payload: '{"a":1}', result: () => 'done' }

test('without hooks nothing listens', () => {
  const { events } = open()

  expect(events.has('job.started')).toBe(false)
  expect(events.has('job.succeeded')).toBe(false)
})

test('only the events that hooks are for are listened to', () => {
  const { events } = open({ hooks: { onRetry: () => {} } })

  expect(events.has('job.retrying')).toBe(true)
  expect(events.has('job.succeeded')).toBe(false)
})

test('a hook is called before emit returns, so that onStart comes before the handler', () => {
  const heard: unknown[] = []
  const { events } = open({ hooks: { onStart: (event) => void heard.push(event) } })

  events.emit('job.started', { job: jobOf('1'), attempt: 1, worker: 'w' }, particulars)

  expect(heard).toEqual([{ job: jobOf('1'), attempt: 1, payload: { a: 1 } }])
})

test('a hook that never settles is waited for no longer than its limit, and is told', async () => {
  const heard: string[] = []
  const hooks = { onSuccess: () => new Promise(() => {}), onEnd: () => void heard.push('onEnd') }
  const { events, caller, log } = open({ hooks })

  events.emit('job.succeeded', succeeded('1'), particulars)
  await caller.settled()

  expect(heard).toEqual(['onEnd'])
  expect(log).toEqual(['onSuccess of known (job 1) has run for 50 ms, and is waited for no longer.'])
})

test('what a hook throws after its limit is told as well', async () => {
  const { passed, open: pass } = gate()
  const hooks = { onSuccess: () => passed.then(() => Promise.reject(new Error('late'))) }
  const { events, caller, log } = open({ hooks })
  events.emit('job.succeeded', succeeded('1'), particulars)
  await caller.settled()

  pass()
  await new Promise(setImmediate)

  expect(log.at(-1)).toContain('onSuccess of known (job 1) threw: Error: late')
})

test('a schema that never settles holds up no hook for ever', async () => {
  const heard: unknown[] = []
  const hooks = { onEnd: (event: unknown) => void heard.push(event) }
  const { events, caller } = open({ hooks, parsePayload: () => new Promise(() => {}) })

  events.emit('job.succeeded', succeeded('1'), particulars)
  await caller.settled()

  expect(heard).toMatchObject([{ payload: undefined, state: 'succeeded' }])
})

test("the app's hooks are called for tasks that this process does not know, with the payload as it is stored", async () => {
  const heard: unknown[] = []
  const { events, caller } = open({}, { shared: { onSuccess: (event) => void heard.push(event) } })

  events.emit('job.succeeded', succeeded('1', 'other'), particulars)
  await caller.settled()

  expect(heard).toEqual([{ job: jobOf('1', 'other'), attempt: 1, payload: { a: 1 }, ms: 1, result: 'done' }])
})

test('hooks of one job follow one another, and those of others do not wait', async () => {
  const { passed, open: pass } = gate()
  const order: string[] = []
  const hooks: Hooks = {
    async onStart(event) {
      const { id } = (event as { job: JobFacts }).job
      if (id === 'slow') await passed
      order.push(`started ${id}`)
    },
    onSuccess: (event) => void order.push(`succeeded ${(event as { job: JobFacts }).job.id}`),
  }
  const { events, caller } = open({ hooks }, { limitMs: 5000 })

  for (const id of ['slow', 'quick']) {
    events.emit('job.started', { job: jobOf(id), attempt: 1, worker: 'w' }, particulars)
    events.emit('job.succeeded', succeeded(id), particulars)
  }
  await new Promise(setImmediate)
  expect(order).toEqual(['started quick', 'succeeded quick'])
  pass()
  await caller.settled()

  expect(order.slice(2)).toEqual(['started slow', 'succeeded slow'])
})

test('it is full when hooks of too many jobs run, and tells when there is room', async () => {
  const { passed, open: pass } = gate()
  const { events, caller } = open({ hooks: { onSuccess: () => passed } }, { most: 2, limitMs: 5000 })
  let rooms = 0
  caller.onRoom(() => {
    rooms += 1
  })

  events.emit('job.succeeded', succeeded('1'), particulars)
  expect(caller.isFull).toBe(false)
  events.emit('job.succeeded', succeeded('2'), particulars)
  events.emit('job.succeeded', succeeded('3'), particulars)
  expect(caller.isFull).toBe(true)
  pass()
  await caller.settled()

  expect(caller.isFull).toBe(false)
  expect(rooms).toBe(1)
})
