import { describe, expect, onTestFinished, test } from 'vitest'
import { createDoor } from '../../src/control/door.js'
import { createResponder, type Responses } from '../../src/control/responder.js'
import { type Verb, verbs } from '../../src/control/verbs.js'
import { StoreUnavailableError, UnknownWorkerError } from '../../src/errors.js'
import { createMemoryStore } from '../../src/store/memory.js'
import type { Store } from '../../src/store/store.js'
import { gate } from '../support/lab.js'
import { until } from '../support/until.js'
import { workerRow } from '../support/worker-row.js'

const quiet = { warn: () => {} }
const ids = ['018f0000-0000-7000-8000-000000000001', '018f0000-0000-7000-8000-000000000002'] as const

async function twoWorkers() {
  const store = createMemoryStore()
  await store.registerWorker(workerRow({ id: ids[0], name: 'mail@one' }))
  await store.registerWorker(workerRow({ id: ids[1], name: 'media@two' }))
  return { store, door: createDoor(async () => store) }
}

/** Those that are given; all others are refused. */
function responding(store: Store, responses: Partial<Responses>, lookMs?: number) {
  const refuse = () => {
    throw new Error('Not here.')
  }
  const all = Object.fromEntries(Object.keys(verbs).map((verb) => [verb, refuse])) as Record<
    Verb,
    typeof refuse
  >
  const responder = createResponder({
    ...{ store, log: quiet, workerId: () => ids[0], responses: { ...all, ...responses } },
  })
  const looks = lookMs === undefined ? undefined : setInterval(responder.look, lookMs)
  onTestFinished(() => {
    clearInterval(looks)
    return responder.close()
  })
}

describe('a command', () => {
  test('names those that reply, those that refuse and those that are silent, within its deadline', async () => {
    const { store, door } = await twoWorkers()
    responding(store, { ping: () => 'pong' })

    expect(await door.ask('ping', {}, { deadline: 50 })).toMatchObject({
      replies: [{ worker: { name: 'mail@one' }, value: 'pong' }],
      refused: [],
      silent: [{ name: 'media@two' }],
    })
    expect((await door.ask('stats', {}, { workers: 'mail@*' })).refused).toEqual([
      { worker: { id: ids[0], name: 'mail@one' }, reason: 'Error: Not here.' },
    ])
  })

  test('to a worker that does not live is an error that names those that do', async () => {
    const { door } = await twoWorkers()

    await expect(door.ask('ping', {}, { workers: 'mail@on' })).rejects.toThrow(UnknownWorkerError)
    // S33: as quick as it is long.
    await expect(door.ask('ping', {}, { workers: `m${'*a'.repeat(50_000)}` })).rejects.toThrow(
      UnknownWorkerError,
    )
    expect(await door.targets({ workers: 'm*@*e' })).toMatchObject([{ name: 'mail@one' }])
    expect(await door.targets({ workers: '*' })).toHaveLength(2)
    await expect(door.ask('ping', {}, { workers: 'mail@on' })).rejects.toThrow(/Did you mean "mail@one"/)
  })

  test('of a verb that is not in the list is refused, whatever it holds (S29)', async () => {
    const { store } = await twoWorkers()
    responding(store, {})
    const command = { id: ids[0], args: '{}', workers: [ids[0]], askedBy: 'mallory', askedFrom: 'sql' }

    for (const [at, verb] of ['eval', 'constructor', '__proto__', 'toString'].entries()) {
      const id = `018f0000-0000-7000-8000-00000000010${at}`
      await store.addCommand({ ...command, id, verb, expiresInMs: 5000 })

      await until(async () => (await store.repliesTo(id)).length > 0)
      const [reply] = await store.repliesTo(id)
      expect(reply).toMatchObject({ ok: false, value: expect.stringContaining('knows no') })
    }
  })

  test('is done once, and in its turn, however many come at once', async () => {
    const { store, door } = await twoWorkers()
    const done: number[] = []
    responding(store, {
      async 'pool-grow'({ by }) {
        await new Promise((resolve) => setTimeout(resolve, by % 3))
        done.push(by)
        return { concurrency: by, autoscale: null }
      },
    })

    const numbers = Array.from({ length: 50 }, (_, at) => at + 1)
    const answers = await Promise.all(
      numbers.map((by) => door.ask('pool-grow', { by }, { workers: 'mail@one', deadline: '20s' })),
    )

    expect(done).toEqual(numbers)
    expect(answers.map(({ replies }) => replies[0]?.value.concurrency)).toEqual(numbers)
  })

  test('whose reply the store does not take is not done again: the reply follows', async () => {
    const { store, door } = await twoWorkers()
    let done = 0
    let failures = 2
    const flaky = Object.assign(Object.create(store) as Store, {
      addReply(reply: Parameters<Store['addReply']>[0]) {
        failures -= 1
        return failures >= 0 ? Promise.reject(new StoreUnavailableError('away')) : store.addReply(reply)
      },
    })
    responding(
      flaky,
      {
        'pool-restart': () => {
          done += 1
          return { replaced: 0 }
        },
      },
      30,
    )

    const { replies } = await door.ask('pool-restart', {}, { workers: 'mail@one', deadline: '10s' })

    expect(replies).toHaveLength(1)
    expect(done).toBe(1)
  })

  test('is not done after its deadline, though it was heard before', async () => {
    const { store, door } = await twoWorkers()
    const busy = gate()
    let isShutDown = false
    const asked = Promise.all([
      door.ask('pool-restart', {}, { workers: 'mail@one', deadline: 3000 }),
      door.ask('shutdown', { now: true }, { workers: 'mail@one', deadline: 1000 }),
    ])
    await until(async () => (await store.commandsFor(ids[0])).length === 2)
    // Both are heard with one look.
    responding(
      store,
      {
        'pool-restart': async () => {
          await busy.passed
          return { replaced: 0 }
        },
        shutdown: () => {
          isShutDown = true
          return { running: 0, process: 'ends' }
        },
      },
      20,
    )
    const [, { silent }] = await asked
    busy.open()
    await new Promise((resolve) => setTimeout(resolve, 100))

    expect(silent).toMatchObject([{ name: 'mail@one' }])
    expect(isShutDown).toBe(false)
  })
})
