import { expect, test } from 'vitest'
import { moduleOf, standingOf, tellSource } from '../../../../../src/dashboard/web/page/tasks/standing.js'

test.each([
  [{ isKnownHere: true, workers: ['a'], queue: 'mail' }, undefined],
  [{ isKnownHere: false, workers: ['a'], queue: 'mail' }, 'not here'],
  [{ isKnownHere: true, workers: [], queue: 'mail' }, 'nobody runs it'],
  [{ isKnownHere: false, workers: [], queue: 'mail' }, 'nobody runs it'],
  [{ isKnownHere: false, workers: [], queue: null }, 'gone'],
])('a task of %j is marked %s', (task, word) => {
  expect(standingOf(task)?.word).toBe(word)
})

test.each([
  ['billing.invoices.send', 'billing.invoices'],
  ['mail.send', 'mail'],
  ['send', ''],
])('the module of %s is %j', (name, module) => {
  expect(moduleOf(name)).toBe(module)
})

test.each([
  ['/srv/app/src/modules/mail/tasks.ts', 'modules/mail/tasks.ts'],
  ['C:\\app\\tasks.ts', 'C:/app/tasks.ts'],
  ['tasks.ts', 'tasks.ts'],
])('the file %s is told as %s', (source, told) => {
  expect(tellSource(source)).toBe(told)
})
