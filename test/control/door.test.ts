import { describe, expect, onTestFinished, test } from 'vitest'
import { createDoor } from '../../src/control/door.js'
import { createResponder } from '../../src/control/responder.js'
import { UnknownWorkerError } from '../../src/errors.js'
import { createMemoryStore } from '../../src/store/memory.js'
import { workerRow } from '../support/worker-row.js'

const quiet = { info: () => {}, warn: () => {} }

async function twoWorkers() {
  const store = createMemoryStore()
  const ids = ['018f0000-0000-7000-8000-000000000001', '018f0000-0000-7000-8000-000000000002'] as const
  await store.registerWorker(workerRow({ id: ids[0], name: 'mail@one' }))
  await store.registerWorker(workerRow({ id: ids[1], name: 'media@two' }))
  return { store, ids, door: createDoor(async () => store) }
}

describe('a command', () => {
  test('names those that reply, those that refuse and those that are silent, within its deadline', async () => {
    const { store, ids, door } = await twoWorkers()
    const responder = createResponder({
      store,
      workerId: () => ids[0],
      responses: { ping: () => 'pong' },
      log: quiet,
    })
    onTestFinished(() => responder.close())

    expect(await door.ask('ping', {}, { deadline: 50 })).toMatchObject({
      replies: [{ worker: { name: 'mail@one' }, value: 'pong' }],
      refused: [],
      silent: [{ name: 'media@two' }],
    })
    expect((await door.ask('stats', {}, { workers: 'mail@*' })).refused).toEqual([
      { worker: { id: ids[0], name: 'mail@one' }, reason: expect.stringContaining('knows no "stats"') },
    ])
  })

  test('to a worker that does not live is an error that names those that do', async () => {
    const { door } = await twoWorkers()

    await expect(door.ask('ping', {}, { workers: 'mail@on' })).rejects.toThrow(UnknownWorkerError)
    await expect(door.ask('ping', {}, { workers: 'mail@on' })).rejects.toThrow(/Did you mean "mail@one"/)
  })
})
