import { describe, expect, test } from 'vitest'
import { ConfigError, DiscoveryError, TaskNotRegisteredError, UnknownTaskError } from '../../src/errors.js'
import { type AnyTask, defineTask, definitionOf } from '../../src/task/define.js'
import { tasksOf } from '../../src/task/exports.js'
import { registerGiven } from '../../src/task/given.js'
import { createRegistry } from '../../src/task/registry.js'

const task = () => defineTask(async () => {})

describe('names', () => {
  test('are module and export; what is no task is ignored', () => {
    const send = task()
    const registry = registerGiven({
      mail: { send, limit: 3, helper() {}, nothing: null },
      reports: { build: task() },
    })

    expect(registry.names).toEqual(['mail.send', 'reports.build'])
    expect(registry.nameOf(send)).toBe('mail.send')
    expect(registry.get('mail.send').task).toBe(send)
    expect(send.name).toBe('mail.send')
  })

  test('may be given by hand', () => {
    const registry = registerGiven({ mail: { send: defineTask({ name: 'post.send', run() {} }) } })

    expect(registry.names).toEqual(['post.send'])
  })

  test('a default export is module.default, unless the task has another name too', () => {
    const only = task()
    const both = task()

    expect(registerGiven({ mail: { default: only } }).names).toEqual(['mail.default'])
    expect(registerGiven({ mail: { default: both, send: both } }).names).toEqual(['mail.send'])
  })

  test.each([
    ['Node, names not seen', (send: AnyTask) => ({ default: { send } })],
    ['Node, names seen', (send: AnyTask) => ({ default: { send }, send, 'module.exports': { send } })],
    [
      'compiled by TypeScript',
      (send: AnyTask) => ({ default: { __esModule: true, send }, __esModule: true }),
    ],
    ['compiled default and names', (send: AnyTask) => ({ default: { __esModule: true, default: { send } } })],
  ])('CommonJS exports are found (%s)', (_, wrap) => {
    expect(registerGiven({ mail: wrap(task()) }).names).toEqual(['mail.send'])
  })

  test('aliases find the task, and are not listed', () => {
    const renamed = defineTask({ aliases: ['reports.build', 'old.report'], run() {} })
    const registry = registerGiven({ reports: { buildReport: renamed } })

    expect(registry.names).toEqual(['reports.buildReport'])
    expect(registry.find('old.report')?.name).toBe('reports.buildReport')
  })

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    '%s is nobody unless defined',
    (name) => {
      const registry = registerGiven({ mail: { send: task() } })

      expect(registry.find(name)).toBe(undefined)
      expect(() => registry.get(name)).toThrow(UnknownTaskError)
      expect(registerGiven({ m: { x: defineTask({ name, run() {} }) } }).get(name).name).toBe(name)
    },
  )

  test('a module may be called __proto__', () => {
    const tasks = Object.fromEntries([['__proto__', { send: task() }]])

    expect(registerGiven(tasks).names).toEqual(['__proto__.send'])
  })
})

describe('errors', () => {
  const registry = registerGiven({ mail: { send: task(), sendAll: task() }, reports: { build: task() } })

  test.each([
    ['mail.sned', 'Unknown task "mail.sned". Did you mean "mail.send"?'],
    ['Mail.Send', 'Did you mean "mail.send"?'],
    ['reports.biuld', 'Did you mean "reports.build"?'],
  ])('%s is unknown, and the nearest name is offered', (name, message) => {
    expect(() => registry.get(name)).toThrow(message)
  })

  test('a name that is like none gets no offer', () => {
    expect(() => registry.get('billing.charge')).toThrow(/^Unknown task "billing.charge".$/)
  })

  test('an endless name costs nothing', () => {
    const started = performance.now()

    expect(() => registry.get('a'.repeat(50_000))).toThrow(UnknownTaskError)

    expect(performance.now() - started).toBeLessThan(50)
  })

  test('two tasks of one name name both places', () => {
    const twins = () =>
      createRegistry([
        ...tasksOf('a.b', { c: task() }, '/app/a/b/tasks.ts'),
        ...tasksOf('a', { 'b.c': task() }, '/app/a/tasks.ts'),
      ])

    expect(twins).toThrow(DiscoveryError)
    expect(twins).toThrow('"a.b.c": in /app/a/b/tasks.ts and in /app/a/tasks.ts')
  })

  test('an alias may not be the name of another task', () => {
    const renamed = defineTask({ aliases: ['mail.send'], run() {} })

    expect(() => registerGiven({ mail: { send: task(), post: renamed } })).toThrow(
      'name or alias "mail.send": both in',
    )
  })

  test('one task may not have two names', () => {
    const shared = task()

    expect(() => registerGiven({ mail: { send: shared }, post: { send: shared } })).toThrow(
      'One task has two names: "mail.send" in tasks.mail and "post.send" in tasks.post',
    )
  })

  test.each([
    [{ send: task() }, 'tasks.send is a task, and must be a module'],
    [{ mail: './mail/tasks.js' }, 'tasks.mail must be a module that holds tasks'],
    [{ mail: null }, 'tasks.mail must be a module that holds tasks'],
  ])('what is no module is refused', (tasks, message) => {
    const register = () => registerGiven(tasks as unknown as Record<string, object>)

    expect(register).toThrow(ConfigError)
    expect(register).toThrow(message)
  })
})

describe('a task object that is not known', () => {
  const foreign = (file: string) => {
    const made = task()
    Object.assign(definitionOf(made), { file })
    return made
  }

  test('of the same source loaded twice, as source and as compiled file, names both URLs', () => {
    const known = foreign('file:///app/src/modules/reports/tasks.ts')
    const registry = registerGiven({
      mail: { send: foreign('file:///app/src/mail/tasks.ts') },
      reports: { known },
    })
    const nameOf = () => registry.nameOf(foreign('file:///app/dist/modules/reports/tasks.js'))

    expect(nameOf).toThrow(TaskNotRegisteredError)
    expect(nameOf).toThrow(
      'loaded twice, as file:///app/dist/modules/reports/tasks.js by the code that enqueues, and as file:///app/src/modules/reports/tasks.ts by celeriac()',
    )
  })

  test('of one file loaded by two loaders says so', () => {
    const registry = registerGiven({ mail: { send: foreign('file:///app/mail/tasks.ts') } })

    expect(() => registry.nameOf(foreign('file:///app/mail/tasks.ts?v=2'))).toThrow('two loaders are at work')
  })

  test('of a registered file is perhaps not exported', () => {
    const registry = registerGiven({ mail: { send: foreign('file:///app/mail/tasks.ts') } })

    expect(() => registry.nameOf(foreign('file:///app/mail/tasks.ts'))).toThrow('Export this one too')
  })

  test('of any other file says how to register it', () => {
    const registry = registerGiven({ mail: { send: task() } })

    expect(() => registry.nameOf(foreign('file:///app/billing/jobs.ts'))).toThrow(
      'This task, defined in /app/billing/jobs.ts, is not registered. Export it from a tasks file',
    )
  })
})
