import { describe, expect, test } from 'vitest'
import type { Retention } from '../../src/job/retain.js'
import { createPrunePass } from '../../src/maintain/prune.js'
import { addRows, forEver, type Ground, openGround, statesOf } from './ground.js'

const prunePass = createPrunePass()
const dayMs = 86_400_000

/** The defaults of the configuration, and rules of single tasks. */
function book(tasks: Record<string, Retention> = {}, ofOthers = usual) {
  return { isKnown: () => true, ofTask: (name: string) => tasks[name], ofOthers }
}

const usual: Retention = {
  ages: { succeeded: 7 * dayMs, failed: 30 * dayMs, cancelled: 30 * dayMs, expired: 30 * dayMs },
  count: null,
}

async function open(retention = book()): Promise<Ground> {
  return openGround('postgres', { retention })
}

async function tasksOf({ client }: Ground): Promise<Record<string, number>> {
  const { rows } = await client.query<{ task: string; count: number }>(
    'SELECT task, count(*)::int FROM celeriac.job GROUP BY 1 ORDER BY 1',
  )
  return Object.fromEntries(rows.map(({ task, count }) => [task, count]))
}

describe('by age', () => {
  test('each end has its own time, and what has not ended stays however old it is', async () => {
    const ground = await open()
    for (const ended of ['6 days', '8 days', '31 days']) {
      for (const state of ['succeeded', 'failed', 'cancelled', 'expired'])
        await addRows(ground, 10, { state, ended })
    }
    await addRows(ground, 10, { state: 'queued', written: '90 days' })
    await addRows(ground, 10, { state: 'running', written: '90 days' })

    expect(await ground.round(prunePass)).toBe(50)

    expect(await statesOf(ground)).toEqual({
      succeeded: 10,
      failed: 20,
      cancelled: 20,
      expired: 20,
      queued: 10,
      running: 10,
    })
    expect(ground.told).toEqual(['info: Deleted 50 finished jobs that had been kept long enough.'])
    expect(await ground.round(prunePass)).toBe(0)
    expect(ground.told.length).toBe(1)
  })

  test("a task's own rule goes before the configuration's; for ever is for ever", async () => {
    const ground = await open(
      book({ 'audit.note': forEver, 'mail.send': { ...usual, ages: { ...usual.ages, succeeded: 1000 } } }),
    )
    for (const task of ['audit.note', 'mail.send', 'gone.task'])
      await addRows(ground, 10, { task, state: 'succeeded', ended: '1 hour' })
    for (const task of ['audit.note', 'mail.send', 'gone.task'])
      await addRows(ground, 10, { task, state: 'succeeded', ended: '900 days' })

    expect(await ground.round(prunePass)).toBe(30)

    expect(await tasksOf(ground)).toEqual({ 'audit.note': 20, 'gone.task': 10 })
  })

  test('a task that only other processes know is left to them; when no worker has known it for long, it is nobody’s', async () => {
    const ground = await open()
    await addRows(ground, 10, { task: 'reports.build', state: 'succeeded', ended: '8 days' })
    await ground.client.query(
      `INSERT INTO celeriac.worker (id, name, host, pid, tasks, concurrency, version, config_hash, lock_key, stopped_at)
       VALUES (gen_random_uuid(), 'w', 'h', 1, '{reports.build}', 1, '1', '', 1, now() - interval '6 days')`,
    )

    expect(await ground.round(prunePass)).toBe(0)

    await ground.client.query(`UPDATE celeriac.worker SET stopped_at = now() - interval '8 days'`)
    expect(await ground.round(prunePass)).toBe(10)
    expect((await ground.client.query('SELECT 1 FROM celeriac.worker')).rowCount).toBe(0)
  })

  test('what a longer rule keeps is looked at once, not in each round', async () => {
    const ground = await open()
    await addRows(ground, 3000, { state: 'failed', ended: '8 days' })
    await addRows(ground, 100, { state: 'succeeded', ended: '8 days' })
    await ground.round(prunePass)
    await addRows(ground, 10, { state: 'succeeded', ended: '169 hours' })
    const rules = [
      {
        task: 'mail.send',
        rule: `succeeded ${7 * dayMs}`,
        states: ['succeeded'] as const,
        upTo: { ageMs: 7 * dayMs },
      },
    ]

    expect(await ground.store.dueRules(rules)).toEqual(rules)
    expect(await ground.store.prune(rules[0] as (typeof rules)[number], 20)).toEqual({
      deleted: 10,
      isDone: true,
    })
    expect(await ground.store.dueRules(rules)).toEqual([])
  })

  test('once a day a rule begins anew, for an end that was committed behind its back; another rule begins at once', async () => {
    const ground = await open()
    await addRows(ground, 10, { state: 'succeeded', ended: '8 days' })
    await ground.round(prunePass)
    await addRows(ground, 10, { state: 'succeeded', ended: '9 days' })
    expect(await ground.round(prunePass)).toBe(0)

    await ground.client.query(`UPDATE celeriac.prune SET begun_at = now() - interval '25 hours'`)
    expect(await ground.round(prunePass)).toBe(10)

    await addRows(ground, 10, { state: 'failed', ended: '9 days' })
    expect(await ground.round(prunePass)).toBe(0)
    const shorter = { ...usual, ages: { ...usual.ages, failed: 8 * dayMs } }
    const changed = await openGround('postgres', {
      database: ground.database,
      retention: book({}, shorter),
    })
    expect(await changed.round(prunePass)).toBe(10)
  })

  test('a job that is begun anew, or held by somebody, at the same moment stays', async () => {
    const ground = await open()
    const [held = '', ...others] = await addRows(ground, 10, { state: 'failed', ended: '40 days' })
    await ground.client.query('BEGIN')
    await ground.client.query(`UPDATE celeriac.job SET state = 'queued', finished_at = NULL WHERE id = $1`, [
      held,
    ])

    expect(await ground.round(prunePass)).toBe(others.length)

    await ground.client.query('COMMIT')
    expect(await statesOf(ground)).toEqual({ queued: 1 })
  })
})

describe('by count', () => {
  test('the newest of each task stay, whatever their end', async () => {
    const ground = await open(book({}, { ...forEver, count: 15 }))
    await addRows(ground, 10, { state: 'failed', ended: '3 days' })
    await addRows(ground, 10, { state: 'succeeded', ended: '2 days' })
    await addRows(ground, 10, { task: 'rare.task', state: 'succeeded', ended: '20 days' })

    expect(await ground.round(prunePass)).toBe(5)

    expect(await statesOf(ground)).toEqual({ failed: 5, succeeded: 20 })
    expect(await tasksOf(ground)).toEqual({ 'mail.send': 15, 'rare.task': 10 })
    expect(await ground.round(prunePass)).toBe(0)
  })

  test.each([9999, 10_000, 10_001, 61_234])('counts exactly, in pages: %i stay', async (count) => {
    const ground = await open(book({}, { ...forEver, count }))
    await addRows(ground, count, { state: 'succeeded', ended: '1 day' })
    expect(await ground.round(createPrunePass())).toBe(0)

    await addRows(ground, 7, { state: 'succeeded', ended: '1 hour' })
    expect(await ground.round(createPrunePass())).toBe(7)

    const { rows } = await ground.client.query('SELECT count(*)::int AS count FROM celeriac.job')
    expect(rows).toEqual([{ count }])
  })

  test('a large number is not counted again before a tenth has been added', async () => {
    const ground = await open(book({}, { ...forEver, count: 20_000 }))
    const pass = createPrunePass()
    await addRows(ground, 19_000, { state: 'succeeded', ended: '1 day' })
    expect(await ground.round(pass)).toBe(0)
    await addRows(ground, 2000, { state: 'succeeded', ended: '1 hour' })
    expect(await ground.round(pass)).toBe(0)

    await addRows(ground, 1, { state: 'succeeded', ended: '1 minute' })

    expect(await ground.round(pass, () => false)).toBe(500)
    expect(await ground.round(pass)).toBe(501)
    expect(await ground.round(pass)).toBe(0)
  })
})

describe('a round', () => {
  test('ends when its time is over, and the next one may follow at once', async () => {
    const ground = await open()
    await addRows(ground, 3000, { task: 'a', state: 'succeeded', ended: '8 days' })
    await addRows(ground, 3000, { task: 'b', state: 'succeeded', ended: '8 days' })
    const deleted = await ground.round(prunePass, () => false)

    // A little of each: a busy task does not take all the time.
    expect(deleted).toBe(1000)
    expect(await tasksOf(ground)).toEqual({ a: 2500, b: 2500 })
    const { due } = await ground.store.beginRound([{ pass: 'prune', everyMs: 60_000 }])
    expect(due).toEqual(['prune'])
    expect(await ground.round(prunePass)).toBe(5000)
    expect((await ground.store.beginRound([{ pass: 'prune', everyMs: 60_000 }])).due).toEqual([])
  })

  test('waits until the process knows its tasks', async () => {
    const ground = await open({ ...book(), isKnown: () => false })
    await addRows(ground, 10, { state: 'succeeded', ended: '8 days' })

    expect(await ground.round(prunePass)).toBe(0)

    expect(await statesOf(ground)).toEqual({ succeeded: 10 })
    expect((await ground.store.beginRound([{ pass: 'prune', everyMs: 60_000 }])).due).toEqual(['prune'])
  })
})
