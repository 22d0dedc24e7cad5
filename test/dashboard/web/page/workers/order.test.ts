import { describe, expect, test } from 'vitest'
import { verbs } from '../../../../../src/control/verbs.js'
import { orders as known } from '../../../../../src/dashboard/api/orders.js'
import {
  type Draft,
  emptyDraft,
  type OrderVerb,
  orders,
  orderVerbs,
  tellReply,
  toBody,
} from '../../../../../src/dashboard/web/page/workers/order.js'

const draft = (change: Partial<Draft>): Draft => ({ ...emptyDraft, ...change })

test('every order that is for single workers can be given, by the action that the server asks for', () => {
  const forOne = Object.entries(known).filter(([, order]) => !order.isForAll)

  expect(orderVerbs.map((verb) => [verb, orders[verb].action]).sort()).toEqual(
    forOne.map(([verb, { action }]) => [verb, action]).sort(),
  )
  expect(orderVerbs.every((verb) => verbs[verb] === 'order')).toBe(true)
})

describe('what is sent', () => {
  test.each<[OrderVerb, Partial<Draft>, object | undefined]>([
    ['pool-grow', { by: '2' }, { by: 2 }],
    ['pool-grow', { by: '0' }, undefined],
    ['pool-shrink', { by: '1.5' }, undefined],
    ['pool-shrink', { by: '' }, undefined],
    ['autoscale', { min: '2', max: '16' }, { range: { min: 2, max: 16 } }],
    ['autoscale', { min: '4', max: '2' }, undefined],
    ['autoscale', { min: '', max: '2', isOff: true }, { range: null }],
    ['queue-add', { queue: ' mail ' }, { queue: 'mail' }],
    ['queue-remove', { queue: ' ' }, undefined],
    ['log-level', { level: 'debug' }, { level: 'debug' }],
    ['shutdown', { isNow: true }, { now: true }],
    ['reset', {}, {}],
    ['pool-restart', {}, {}],
  ])('%s with %o is %o', (verb, change, body) => {
    expect(toBody(verb, draft(change))).toEqual(body)
  })
})

describe('what a worker replied', () => {
  test.each<[OrderVerb, unknown, string]>([
    ['pool-grow', { concurrency: 6, autoscale: null }, 'Runs 6 jobs at once.'],
    ['pool-shrink', { concurrency: 1, autoscale: null }, 'Runs 1 job at once.'],
    [
      'autoscale',
      { concurrency: 2, autoscale: { min: 2, max: 8 } },
      'Runs 2 to 8 jobs at once, as it needs: 2 jobs now.',
    ],
    ['pool-restart', { replaced: 0 }, 'It has no threads or processes to replace.'],
    ['pool-restart', { replaced: 3 }, '3 of its threads and processes are replaced.'],
    ['queue-add', { queues: ['mail', 'reports'] }, 'Serves mail, reports.'],
    ['log-level', { level: 'warn' }, 'Logs from warn on.'],
    ['reset', { concurrency: 4, autoscale: null, queues: ['mail'] }, 'Runs 4 jobs at once. Serves mail.'],
    ['shutdown', { running: 0, process: 'ends' }, 'Its process ends.'],
    [
      'shutdown',
      { running: 2, process: 'stays' },
      'It stops; the process that it is in goes on. 2 jobs run still.',
    ],
  ])('%s %o: %s', (verb, value, told) => {
    expect(tellReply(verb, value)).toBe(told)
  })
})
