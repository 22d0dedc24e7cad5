import { describe, expect, test } from 'vitest'
import { repairPass } from '../../src/maintain/repair.js'
import { restartPass } from '../../src/maintain/restart.js'
import { brokers } from '../support/lab.js'
import { addRows, openGround, takeAll } from './ground.js'

describe.each(brokers)('after a crash of the store, on %s', (kind) => {
  test('jobs whose claims it took back, and whose workers died with it, are sent again', async () => {
    const ground = await openGround(kind)
    // Claimed and so no more in the broker; the crash left them as they were before.
    const ids = await addRows(ground, 1500, { written: '1 hour' })
    expect(await ground.round(restartPass)).toBeUndefined()

    await ground.client.query(
      `UPDATE celeriac.installation SET store_started_at = pg_postmaster_start_time() - interval '1 day'`,
    )
    await ground.client.query(`SELECT pg_sleep_until(pg_postmaster_start_time() + interval '16 seconds')`)

    expect(await ground.round(restartPass)).toBe(0)
    expect(ground.told).toContainEqual(expect.stringContaining('The store was started anew'))
    expect(await ground.round(restartPass)).toBeUndefined()
    expect(await ground.round(repairPass)).toBe(ids.length)
    expect(await takeAll(ground, ids.length)).toEqual(ids)
  }, 60_000)
})
