import pg from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createPasses, type MaintenanceParts, startMaintenance } from '../../src/maintain/maintain.js'
import type { Round } from '../../src/store/store.js'
import { until } from '../support/until.js'
import { addRows, type Ground, hand, openGround, statesOf } from './ground.js'

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** Every statement that this process sends to a database from now on, until the test is over. */
function listenToStatements(): string[] {
  const texts: string[] = []
  const { query } = pg.Client.prototype
  pg.Client.prototype.query = function (this: pg.Client, ...given: unknown[]) {
    const [asked] = given
    texts.push(typeof asked === 'string' ? asked : (asked as { text: string }).text)
    return Reflect.apply(query, this, given)
  } as typeof query
  onTestFinished(() => {
    pg.Client.prototype.query = query
  })
  return texts
}

describe('a process with nothing to do', () => {
  test('asks the store once a round, and every fifth time for the mark; pruning every twentieth', async () => {
    const ground = await openGround('redis')
    const texts = listenToStatements()
    const count = (part: string) => texts.filter((text) => text.includes(part)).length
    const maintenance = startMaintenance(ground, 100)
    await until(() => count('SET broker_mark') >= 10)
    await maintenance.close()

    const rounds = count('INSERT INTO celeriac.pass')
    expect(rounds).toBeGreaterThanOrEqual(30)
    expect(count('SET broker_mark')).toBeLessThanOrEqual(rounds / 4 + 1)
    // Rules and counts are asked for where there are tasks.
    expect(count('DELETE FROM celeriac.worker ')).toBe(count('WITH RECURSIVE finished'))
    expect(count('WITH RECURSIVE finished')).toBeLessThanOrEqual(rounds / 15 + 1)
    const others = [
      'INSERT INTO celeriac.pass',
      'SET broker_mark',
      'FROM celeriac.worker',
      'RECURSIVE finished',
      'celeriac.limit_state',
      'celeriac.unique_',
      'DELETE FROM celeriac.stat\n',
      'DELETE FROM celeriac.stat WHERE',
      'DELETE FROM celeriac.command ',
    ]
    expect(count('celeriac.unique_')).toBeLessThanOrEqual(2 * (rounds / 15 + 1))
    expect(texts.filter((text) => !others.some((part) => text.includes(part)))).toEqual([])
  }, 30_000)
})

describe('a ticket', () => {
  const ticket = { pass: 'lost', everyMs: 2700 }

  test('is for one process in each interval', async () => {
    const [one, { store }] = await twoOnOneStore()
    expect((await one.store.beginRound([ticket])).due).toEqual(['lost'])
    expect((await store.beginRound([ticket])).due).toEqual([])

    await one.client.query(`UPDATE celeriac.pass SET ran_at = now() - interval '2.8 seconds'`)
    expect((await store.beginRound([ticket])).due).toEqual(['lost'])
  })

  test.each(createPasses().filter(({ name }) => !['prune', 'unique-keys', 'stats-prune'].includes(name)))(
    'of the $name pass that somebody took and did nothing with is another’s within 10 s',
    ({ every }) => {
      expect(every * 3000).toBeLessThan(10_000)
    },
  )

  test('is had by one of many that ask at the same time', async () => {
    const [one, two] = await twoOnOneStore()
    const asked = await Promise.all(
      [one, two, one, two, one, two].map(({ store }) => store.beginRound([ticket])),
    )
    expect(asked.flatMap(({ due }) => due)).toEqual(['lost'])
  })

  test('of the future, after the clock of the database was put back, holds up nobody', async () => {
    const ground = await openGround('redis')
    await ground.store.beginRound([ticket])
    await ground.client.query(`UPDATE celeriac.pass SET ran_at = now() + interval '1 hour'`)

    expect((await ground.store.beginRound([ticket])).due).toEqual(['lost'])
    expect((await ground.store.beginRound([ticket])).due).toEqual([])
  })
})

async function twoOnOneStore(): Promise<[Ground, Ground]> {
  const one = await openGround('redis')
  return [one, await openGround('redis', { database: one.database })]
}

describe('maintenance', () => {
  test('runs all passes by itself, and counts what each repaired', async () => {
    const ground = await openGround('redis')
    await addRows(ground, 3, { dispatched: null, queue: 'sent' })
    await addRows(ground, 4, { expires: '-1 second', queue: 'expired' })
    await addRows(ground, 5, { state: 'scheduled', due: '-5 seconds', queue: 'late' })
    await addRows(ground, 6, { queue: 'stuck' })
    await addRows(ground, 7, { state: 'succeeded', ended: '8 days' })
    const retention = {
      isKnown: () => true,
      ofTask: () => undefined,
      ofOthers: {
        ages: { succeeded: 1000, failed: null, cancelled: null, expired: null },
        count: null,
      },
    }
    const maintenance = startMaintenance({ ...ground, retention }, 100)

    // What has just been sent may be sent twice.
    const repairs: [string, number][] = [
      ['dispatch', 3],
      ['expiry', 4],
      ['overdue', 5],

      ['prune', 7],
    ]
    for (const [pass, least] of repairs) await until(() => (maintenance.repaired()[pass] ?? 0) >= least)
    await maintenance.close()

    expect(await statesOf(ground)).toEqual({ expired: 4, queued: 14 })
    expect(Object.keys(maintenance.repaired())).toEqual(
      expect.arrayContaining(['broker-loss', 'lost', 'net', 'repair']),
    )
  })

  test('a pass that waits for a server that does not answer holds up no other', async () => {
    const ground = await openGround('redis')
    await hand(ground, await addRows(ground, 1))
    let asked = 0
    let answer: () => void = () => {}
    const broker = new Proxy(ground.broker, {
      get(target, name) {
        if (name !== 'readMark') return Reflect.get(target, name)
        return () => {
          asked += 1
          return new Promise((_, reject) => {
            answer = () => reject(new Error('gone'))
          })
        }
      },
    })
    const maintenance = startMaintenance({ ...ground, broker }, 100)
    await until(() => asked === 1)

    await addRows(ground, 2, { expires: '-1 second' })
    await until(() => maintenance.repaired().expiry === 2)

    expect(asked).toBe(1)
    answer()
    await until(() => asked === 2)
    answer()
    await maintenance.close()
    expect(ground.told).toContain('warn: The broker-loss pass failed: gone')
  })

  test('ends in the middle of a pass when it is closed', async () => {
    const ground = await openGround('redis')
    await addRows(ground, 20, { expires: '-1 second' })
    let begun = 0
    const parts: MaintenanceParts = {
      ...ground,
      store: new Proxy(ground.store, {
        get(target, name) {
          if (name !== 'expireOverdue') return Reflect.get(target, name)
          return async (limit: number) => {
            begun += 1
            await sleep(20)
            return limit
          }
        },
      }),
    }
    const maintenance = startMaintenance(parts, 10_000)
    const quick = startMaintenance(parts, 200)
    await until(() => begun > 0)

    await Promise.all([maintenance.close(), quick.close()])
    const atTheEnd = begun
    await sleep(100)

    expect(begun).toBe(atTheEnd)
  })

  test('looks for work only where it may do it', async () => {
    const ground = await openGround('redis')
    await addRows(ground, 1, { expires: '-1 second' })
    const expired = ({ work }: Round) => work.expired

    expect(expired(await ground.store.beginRound([{ pass: 'expiry', everyMs: 60_000 }]))).toBe(true)
    expect(expired(await ground.store.beginRound([{ pass: 'expiry', everyMs: 60_000 }]))).toBe(false)
  })
})
