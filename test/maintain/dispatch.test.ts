import { describe, expect, onTestFinished, test } from 'vitest'
import { dispatchPass } from '../../src/maintain/dispatch.js'
import { brokers } from '../support/lab.js'
import { startRedis } from '../support/servers.js'
import { until } from '../support/until.js'
import { addRows, type Ground, hand, openGround, takeAll } from './ground.js'

/** The line that the statement writes along with the rows between these ids. */
async function addLine({ client }: Ground, ids: readonly string[], age = '3 seconds'): Promise<void> {
  await client.query(
    'INSERT INTO celeriac.outbox (first, last, created_at) VALUES ($1, $2, now() - $3::interval)',
    [ids[0], ids.at(-1), age],
  )
}

async function linesIn({ client }: Ground): Promise<number> {
  return (await client.query('SELECT 1 FROM celeriac.outbox')).rowCount ?? 0
}

describe.each(brokers)('the dispatch pass, on %s', (kind) => {
  test('sends what a process that died had written, each once, and remembers when', async () => {
    const ground = await openGround(kind)
    const ids = await addRows(ground, 5)
    await addLine(ground, ids)

    expect(await ground.round(dispatchPass)).toBe(5)

    expect(await takeAll(ground, 5)).toEqual(ids)
    expect(await linesIn(ground)).toBe(0)
    expect(ground.told).toEqual(['info: 5 jobs had not reached the broker, and went there now.'])
    const late = await ground.client.query(
      `SELECT 1 FROM celeriac.job WHERE dispatched_at < now() - interval '30 seconds'`,
    )
    expect(late.rowCount).toBe(0)
    expect(await ground.round(dispatchPass)).toBeUndefined()
  })

  test('leaves the newest alone: whoever wrote them is about to send them', async () => {
    const ground = await openGround(kind)
    await addLine(ground, await addRows(ground, 5), '1 second')

    expect(await ground.round(dispatchPass)).toBeUndefined()
    expect(await linesIn(ground)).toBe(1)
  })

  test('sends a range of more than a thousand, and the ranges of hundreds of small batches', async () => {
    const ground = await openGround(kind)
    await addLine(ground, await addRows(ground, 2500))

    expect(await ground.round(dispatchPass)).toBe(2500)
    expect(await ground.broker.counts('default')).toMatchObject({ waiting: 2500 })
    expect(await linesIn(ground)).toBe(0)

    for (const id of await addRows(ground, 150, { queue: 'small' })) await addLine(ground, [id])
    expect(await ground.round(dispatchPass)).toBe(150)
    expect(await ground.broker.counts('small')).toMatchObject({ waiting: 150 })
    expect(await linesIn(ground)).toBe(0)
  })

  test('a range that spans rows of other processes sends nothing twice, and nothing that has begun', async () => {
    const ground = await openGround(kind)
    const ids = await addRows(ground, 9)
    const sent = ids.slice(3, 6)
    await hand(ground, sent)
    const begun = ids.slice(6, 8)
    await ground.client.query(`UPDATE celeriac.job SET state = 'running' WHERE id = ANY($1)`, [begun])
    await addLine(ground, ids)

    await ground.round(dispatchPass)

    expect(await takeAll(ground, 7)).toEqual(ids.filter((id) => !begun.includes(id)))
    expect(await linesIn(ground)).toBe(0)
  })

  test('a line whose jobs are all gone is cleared', async () => {
    const ground = await openGround(kind)
    const ids = await addRows(ground, 3)
    await addLine(ground, ids)
    await ground.client.query('DELETE FROM celeriac.job')

    expect(await ground.round(dispatchPass)).toBe(0)
    expect(await linesIn(ground)).toBe(0)
    expect(ground.told).toEqual([])
  })

  test('sends what falls due within a minute, with its delay, and nothing that is due later', async () => {
    const ground = await openGround(kind)
    await addRows(ground, 3, { state: 'scheduled', dispatched: null, due: '30 seconds' })
    await addRows(ground, 3, { state: 'scheduled', dispatched: null, due: '2 minutes' })
    await addRows(ground, 3, { state: 'queued', dispatched: null })

    expect(await ground.round(dispatchPass)).toBe(6)

    expect(await ground.broker.counts('default')).toEqual({ waiting: 3, delayed: 3, taken: 0 })
    expect(await ground.round(dispatchPass)).toBeUndefined()
  })

  test('after a clock was put back, what was written before goes out all the same, and at once', async () => {
    const ground = await openGround(kind)
    const ids = await addRows(ground, 3, { written: '-1 hour' })
    await addLine(ground, ids, '-1 hour')

    expect(await ground.round(dispatchPass)).toBe(3)

    expect(await ground.broker.counts('default')).toEqual({ waiting: 3, delayed: 0, taken: 0 })
  })
})

test('what a dead Redis refused waits, and goes out when it is back', async () => {
  const redis = await startRedis()
  onTestFinished(() => redis.stop())
  const ground = await openGround('redis', { redis: redis.url, deadlineMs: 500 })
  const ids = await addRows(ground, 5)
  await addLine(ground, ids)
  await ground.broker.ping()
  await redis.kill()

  expect(await ground.round(dispatchPass)).toBe(0)
  expect(await linesIn(ground)).toBe(1)

  await redis.start()
  await until(async () => (await ground.round(dispatchPass)) === 5)
  expect(await takeAll(ground, 5)).toEqual(ids)
  expect(await linesIn(ground)).toBe(0)
})
