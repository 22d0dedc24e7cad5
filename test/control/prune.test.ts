import { v7 as uuidv7 } from 'uuid'
import { expect, onTestFinished, test } from 'vitest'
import { openStore } from '../support/store.js'

test('commands are kept for 90 days, with their replies', async () => {
  const { store, client, close } = await openStore()
  onTestFinished(close)
  const command = { verb: 'ping', args: '{}', workers: [], askedBy: 'ann', askedFrom: 'cli', expiresInMs: 1 }
  const [old, young] = [uuidv7(), uuidv7()]
  for (const id of [old, young]) {
    await store.addCommand({ ...command, id })
    await store.addReply({ commandId: id, workerId: uuidv7(), ok: true, value: '1' })
  }
  await client.query(`UPDATE celeriac.command SET asked_at = now() - interval '91 days' WHERE id = $1`, [old])

  expect(await store.pruneCommands()).toBe(1)
  expect((await store.commands({ limit: 10 })).map(({ id }) => id)).toEqual([young])
  expect(await store.repliesTo(old)).toEqual([])
  expect(await store.repliesTo(young)).toHaveLength(1)
})

test('questions, which changed nothing, are kept for a day', async () => {
  const { store, client, close } = await openStore()
  onTestFinished(close)
  const command = { verb: 'ping', args: '{}', workers: [], askedBy: 'ann', askedFrom: 'cli', expiresInMs: 1 }
  const [question, order] = [uuidv7(), uuidv7()]
  await store.addCommand({ ...command, id: question, isQuestion: true })
  await store.addCommand({ ...command, id: order, verb: 'reset' })
  await client.query(`UPDATE celeriac.command SET asked_at = now() - interval '25 hours'`)

  expect(await store.pruneCommands()).toBe(1)
  expect((await store.commands({ limit: 10 })).map(({ id }) => id)).toEqual([order])
})
