import superjson from 'superjson'
import { v7 as uuidv7 } from 'uuid'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { type App, openApp } from '../../src/app.js'
import { openBackend } from '../../src/backend.js'
import { readEnvironment } from '../../src/config/env.js'
import type { CeleriacOptions } from '../../src/config/options.js'
import { resolveConfig } from '../../src/config/resolve.js'
import type { HandOptions } from '../../src/control/by-hand.js'
import { PayloadInvalidError, SchemaTimeoutError } from '../../src/errors.js'
import { defineTask } from '../../src/task/define.js'
import { registerGiven } from '../../src/task/given.js'
import { createLog } from '../../src/telemetry/log.js'
import { freshServers } from '../support/lab.js'
import { until } from '../support/until.js'

const asker = { by: 'ann', from: 'http 10.0.0.7' }

const seen: unknown[] = []
let isBroken = true

function run(payload: unknown): void {
  seen.push(payload)
  if (isBroken) throw new Error('broken')
}

const send = defineTask({
  payload: z.object({
    to: z.string(),
    n: z.number().max(9).default(1),
    card: z.object({ number: z.string().min(4) }).optional(),
  }),
  redact: ['payload.card.number'],
  run,
})
const limited = defineTask({
  payload: z.object({ tenant: z.string() }),
  key: ({ tenant }) => tenant,
  concurrency: { key: 1 },
  run,
})
const unique = defineTask({
  payload: z.object({ tenant: z.string() }),
  unique: { key: ({ tenant }) => tenant },
  run,
})
const open = defineTask(run)
let isSilent = false
const slow = defineTask({
  payload: z
    .object({ to: z.string() })
    .refine(async () => (isSilent ? new Promise<boolean>(() => {}) : true)),
  run,
})

const tasks = { mail: { send, limited, unique, open, slow } }

async function openTestApp(options: CeleriacOptions = {}): Promise<App> {
  const config = resolveConfig(
    { ...(await freshServers('postgres')), logger: 'silent', tasks, attempts: 1, deadline: '3s', ...options },
    readEnvironment({}),
  )
  const app = openApp(config, {
    ...{ log: createLog('silent', false), openBackend, onFatal: () => {} },
    tasks: Promise.resolve(registerGiven(config.tasks ?? {})),
  })
  onTestFinished(() => app.close())
  await app.ready()
  return app
}

let app: App

beforeEach(() => {
  seen.length = 0
  isBroken = true
})

async function startWorker(): Promise<void> {
  await app.startWorker(app.config.workerProcess)
}

const ended = (id: string) => until(() => app.ended(id, 10_000))

async function failed(task: string, payload: unknown): Promise<string> {
  const { id } = await app.enqueue(task, payload)
  await ended(id)
  expect(await app.find(id)).toMatchObject({ state: 'failed' })
  return id
}

const lines = async () =>
  (await app.audit.list()).map(({ verb, args, outcome, affected, askedBy, askedFrom }) => ({
    ...{ verb, args: JSON.parse(args) as unknown, outcome: outcome && (JSON.parse(outcome) as unknown) },
    ...{ affected, askedBy, askedFrom },
  }))

const ann = { askedBy: 'ann', askedFrom: 'http 10.0.0.7' }

describe('a retry with an edited payload', () => {
  beforeEach(async () => {
    app = await openTestApp()
    await startWorker()
  })

  test('runs with what was written, and keeps what was hidden', async () => {
    const id = await failed('mail.send', { to: 'ann', card: { number: '4111' } })
    const shown = (await app.find(id))?.payload
    expect(shown).toEqual({ to: 'ann', card: { number: '[redacted]' } })
    isBroken = false

    expect(await app.retryWith(id, { ...(shown as object), to: 'bob' }, asker)).toBe('retried')

    await ended(id)
    expect(seen.at(-1)).toEqual({ to: 'bob', n: 1, card: { number: '4111' } })
    expect(await app.find(id)).toMatchObject({
      state: 'succeeded',
      attempts: [{ number: 1, outcome: 'failed' }],
    })
    expect(await lines()).toEqual([
      {
        ...{ verb: 'retry-edited', args: { ids: [id], task: 'mail.send' }, outcome: { answer: 'retried' } },
        ...{ affected: 1, ...ann },
      },
    ])
  })

  test('what does not pass the schema is refused with its paths, and nothing is changed', async () => {
    const id = await failed('mail.send', { to: 'ann' })

    const refused = app.retryWith(id, { to: 5, n: 10 }, asker)

    await expect(refused).rejects.toBeInstanceOf(PayloadInvalidError)
    await expect(refused).rejects.toMatchObject({
      issues: expect.arrayContaining([
        expect.objectContaining({ path: ['to'] }),
        expect.objectContaining({ path: ['n'] }),
      ]),
    })
    await expect(app.retryWith(id, { to: 'x'.repeat(2_000_000) }, asker)).rejects.toThrow('payload')
    await expect(app.retryWith(id, { to: 'a', card: { number: '[redacted]' } }, asker)).rejects.toThrow(
      'card.number: "[redacted]" stands for a hidden value',
    )
    expect(await app.find(id)).toMatchObject({ state: 'failed', payload: { to: 'ann' }, delivery: 1 })
    expect(await lines()).toEqual([])
  })

  test('takes its turn by the new key, and is found by the new one', async () => {
    const id = await failed('mail.limited', { tenant: 'a' })
    expect(await app.find(id)).toMatchObject({ limitKey: 'a' })

    await app.retryWith(id, { tenant: 'b' }, asker)

    expect(await app.find(id)).toMatchObject({ limitKey: 'b' })
    await until(() => seen.length === 2)
  })

  test('frees what it was one of its kind by', async () => {
    const id = await failed('mail.unique', { tenant: 'a' })
    await (await app.backend()).store.setSetting('pause:default', '{}', null)

    await app.retryWith(id, { tenant: 'b' }, asker)

    expect(await app.enqueue('mail.unique', { tenant: 'a' })).toMatchObject({ created: true })
  })

  test('is for what has ended without success', async () => {
    isBroken = false
    const { id } = await app.enqueue('mail.send', { to: 'ann' })
    await ended(id)

    expect(await app.retryWith(id, { to: 'bob' }, asker)).toBe('unfit')
    expect(await app.retryWith(uuidv7(), { to: 'bob' }, asker)).toBe('unknown')
    expect(await app.retryWith('today', { to: 'bob' }, asker)).toBe('unknown')
    expect(await lines()).toEqual([])
  })
})

test('a schema that does not answer is not waited for', async () => {
  app = await openTestApp()
  const { id } = await app.enqueue('mail.slow', { to: 'ann' }, { delay: '1h' })
  await app.cancel(id, null, null)
  isSilent = true
  onTestFinished(() => {
    isSilent = false
  })

  await expect(app.retryWith(id, { to: 'bob' }, asker)).rejects.toBeInstanceOf(SchemaTimeoutError)

  expect(await app.find(id)).toMatchObject({ state: 'cancelled', payload: { to: 'ann' } })
})

test('only who has the code of a task can say whether a payload fits', async () => {
  app = await openTestApp()
  const { id } = await app.enqueue('mail.send', { to: 'ann' }, { delay: '1h' })
  await app.cancel(id, null, null)
  const { database } =
    app.config.store.kind === 'postgres' ? { database: app.config.store.url } : { database: '' }
  const other = await openTestApp({ database, tasks: {} })

  await expect(other.retryWith(id, { to: 'bob' }, asker)).rejects.toThrow(
    'Unknown task "mail.send". This process has no code of it, so nobody here could check the payload.',
  )
})

test('payloads with a codec are read and written by it', async () => {
  app = await openTestApp({ codec: superjson })
  await startWorker()
  const at = new Date('2030-01-31T08:00:00Z')
  const id = await failed('mail.open', { at, tags: new Set(['a']) })
  isBroken = false

  await app.retryWith(id, { at, tags: new Set(['b']) }, asker)

  await ended(id)
  expect(seen.at(-1)).toEqual({ at, tags: new Set(['b']) })
})

describe('reveal', () => {
  beforeEach(async () => {
    app = await openTestApp()
  })

  test('shows what is hidden, once it is noted who sees it', async () => {
    const { id } = await app.enqueue('mail.send', { to: 'ann', card: { number: '4111' } })

    const revealed = await app.reveal(id, asker)

    expect(revealed).toMatchObject({
      job: { id, payload: { to: 'ann', card: { number: '4111' } } },
      isRemoved: false,
    })
    expect(await lines()).toEqual([
      { verb: 'reveal', args: { ids: [id], task: 'mail.send' }, outcome: null, affected: 1, ...ann },
    ])
    expect(await app.reveal(uuidv7(), asker)).toBeUndefined()
    expect(await app.reveal('today', asker)).toBeUndefined()
    expect(await lines()).toHaveLength(1)
  })

  test('says that what has succeeded has it no more', async () => {
    await startWorker()
    isBroken = false
    const { id } = await app.enqueue('mail.send', { to: 'ann', card: { number: '4111' } })
    await ended(id)

    expect(await app.reveal(id, asker)).toMatchObject({
      job: { payload: { card: { number: '[redacted]' } } },
      isRemoved: true,
    })
  })
})

describe('a job that is enqueued by hand', () => {
  test('is as said, and noted without its payload', async () => {
    app = await openTestApp()
    const options: HandOptions = {
      ...{ queue: 'extra', priority: 3, attempts: 2, tags: ['hand'] },
      ...({ timeLimit: '5s', expiresIn: '2h' } as const),
    }

    const late = { ...options, runAt: '2230-01-31T08:00:00Z' }
    await expect(app.enqueueByHand('mail.send', { to: 'a' }, late, asker)).rejects.toThrow('"runAt"')
    const runAt = new Date(Date.now() + 3_600_000).toISOString()
    const handle = await app.enqueueByHand('mail.send', { to: 'secret' }, { ...options, runAt }, asker)

    expect(await app.find(handle.id)).toMatchObject({
      ...{ queue: 'extra', priority: 3, maxAttempts: 2, tags: ['hand'], owner: null, state: 'scheduled' },
      payload: { to: 'secret' },
      runAt: new Date(runAt),
    })
    const [line, refused] = await lines()
    expect(line).toMatchObject({
      ...{ verb: 'enqueue', args: { task: 'mail.send', queue: 'extra', priority: 3, runAt } },
      ...{ outcome: { id: handle.id, created: true }, affected: 1, ...ann },
    })
    expect(refused).toMatchObject({ outcome: { error: 'ENQUEUE_OPTION' }, affected: 0 })
    expect(JSON.stringify(await app.audit.list())).not.toContain('secret')
  })

  test('takes no other options, and no payload that its task refuses', async () => {
    app = await openTestApp()
    const by = (payload: unknown, options: object, task = 'mail.send') =>
      app.enqueueByHand(task, payload, options, asker)

    await expect(by({ to: 'a' }, { backoff: 1 })).rejects.toThrow('"backoff" cannot be said of a job')
    await expect(by({ to: 'a' }, { idempotencyKey: 'x' })).rejects.toThrow('It takes delay, runAt,')
    await expect(by({ to: 'a' }, { priority: -1 })).rejects.toThrow('"priority"')
    await expect(by({ to: 5 }, {})).rejects.toBeInstanceOf(PayloadInvalidError)
    await expect(by({ to: 'a' }, {}, 'mail.sned')).rejects.toThrow('Did you mean "mail.send"?')
    expect((await app.search({})).jobs).toEqual([])
  })

  test('of which another is the pattern has what that one hides, as far as it is hidden again', async () => {
    app = await openTestApp()
    const { id } = await app.enqueue('mail.send', { to: 'ann', card: { number: '4111' } }, { delay: '1h' })
    const shown = { to: 'bob', card: { number: '[redacted]' } }

    const copy = await app.enqueueByHand('mail.send', shown, { copyOf: id }, asker)

    expect(await app.reveal(copy.id, asker)).toMatchObject({
      job: { payload: { to: 'bob', card: { number: '4111' } } },
    })
    expect(await app.find(copy.id)).toMatchObject({ payload: shown })
    expect((await lines()).at(-1)).toMatchObject({
      ...{ verb: 'enqueue', args: { task: 'mail.send', copyOf: id }, affected: 1 },
    })
    expect(JSON.stringify(await app.audit.list())).not.toContain('4111')
  })

  test('never has the text that stands for a hidden value', async () => {
    app = await openTestApp()
    const shown = { to: 'ann', card: { number: '[redacted]' } }
    const bare = await app.enqueue('mail.send', { to: 'ann' })
    const other = await app.enqueue('mail.open', shown)

    for (const options of [{}, { copyOf: bare.id }])
      await expect(app.enqueueByHand('mail.send', shown, options, asker)).rejects.toThrow(
        'card.number: "[redacted]" stands for a hidden value',
      )
    for (const copyOf of [other.id, uuidv7(), 'today'])
      await expect(app.enqueueByHand('mail.send', shown, { copyOf }, asker)).rejects.toThrow(
        '"copyOf" must be the id of a job of task "mail.send"',
      )
    expect((await app.search({})).jobs).toHaveLength(2)
  })

  test('keeps nothing that its task hides no more', async () => {
    const servers = await freshServers('postgres')
    app = await openTestApp(servers)
    const { id } = await app.enqueue('mail.send', { to: 'ann', card: { number: '4111' } }, { delay: '1h' })
    const later = await openTestApp({ ...servers, tasks: { mail: { send: defineTask(run) } } })

    const copy = later.enqueueByHand('mail.send', { card: { number: '[redacted]' } }, { copyOf: id }, asker)

    await expect(copy).rejects.toThrow('card.number: "[redacted]" stands for a hidden value')
  })

  test('must say whose it is where jobs have owners', async () => {
    app = await openTestApp({ owner: () => 'ann' })

    await expect(app.enqueueByHand('mail.send', { to: 'a' }, {}, asker)).rejects.toThrow('Say "owner"')
    const nobody = await app.enqueueByHand('mail.send', { to: 'a' }, { owner: null }, asker)
    const bob = await app.enqueueByHand('mail.send', { to: 'a' }, { owner: 'bob' }, asker)

    expect(await app.find(nobody.id)).toMatchObject({ owner: null })
    expect(await app.find(bob.id)).toMatchObject({ owner: 'bob' })
  })
})

describe('the audit', () => {
  beforeEach(async () => {
    app = await openTestApp()
  })

  test('has a line for whatever was done, the newest first, and what stops and resumes it', async () => {
    const { id } = await app.enqueue('mail.open', 1)
    await app.audit.note('login', {}, asker)
    await app.bulk.cancel([id], { by: 'ann' })
    const { id: operation } = await app.operations.start('retry', [id, uuidv7()], { ...asker, batch: 1 })
    await app.operations.stop(operation, { by: 'bob' })
    await app.operations.resume(operation, { by: 'eve' })
    await app.operations.ended(operation, 10_000)
    await app.audit.note('export', { filter: { state: 'failed' } }, asker, 500)

    expect(await lines()).toMatchObject([
      { verb: 'export', args: { filter: { state: 'failed' } }, affected: 500, askedBy: 'ann' },
      { verb: 'operation-resume', args: { operation }, askedBy: 'eve' },
      { verb: 'operation-stop', args: { operation }, askedBy: 'bob' },
      { verb: 'retry', affected: 1, ...ann },
      { verb: 'cancel', args: { ids: [id] }, affected: 1, askedBy: 'ann', askedFrom: 'code' },
      { verb: 'login', affected: null, ...ann },
    ])
    expect(await app.audit.line(operation)).toMatchObject({ operation: { state: 'done', done: 2 } })
    expect(await app.audit.line('today')).toBeUndefined()
    expect((await app.audit.list({ by: 'ann', from: 'http', since: '1h', limit: 1 }))[0]?.verb).toBe('export')
  })

  test('leaves out questions, unless they are asked for', async () => {
    await app.inspect.ping({ deadline: 10 })
    await app.control.pause('default', { deadline: 10 })

    expect((await lines()).map(({ verb }) => verb)).toEqual(['pause'])
    expect((await app.audit.list({ questions: true })).map(({ verb }) => verb)).toEqual(['pause', 'ping'])
  })

  test('refuses what makes no sense', async () => {
    await expect(app.audit.list({ limit: 0 })).rejects.toThrow('"limit"')
    await expect(app.audit.list({ before: 'x' })).rejects.toThrow('the id of a line of the audit')
    await expect(app.audit.list({ since: 'yesterday' })).rejects.toThrow('"since" must be a moment')
    await expect(app.audit.list({ verbs: 'x' } as object)).rejects.toThrow('has no option "verbs"')
    await expect(app.audit.note('login', {}, { by: '' })).rejects.toThrow('"by"')
  })
})
