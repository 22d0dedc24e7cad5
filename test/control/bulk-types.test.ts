import { expectTypeOf, test } from 'vitest'
import type { BulkAnswer, Celeriac, FoundJobs, JobFilter, MatchCount } from '../../src/index.js'

declare const jobs: Celeriac

test('filters and actions are typed', () => {
  expectTypeOf<Celeriac['search']>().returns.resolves.toEqualTypeOf<FoundJobs>()
  expectTypeOf<Celeriac['count']>().returns.resolves.toEqualTypeOf<MatchCount>()
  expectTypeOf<Celeriac['bulk']['retry']>().returns.resolves.toEqualTypeOf<BulkAnswer>()
  expectTypeOf<JobFilter['owner']>().extract<null>().toEqualTypeOf<null>()
  expectTypeOf(refused).toBeFunction()
})

function refused(): void {
  // @ts-expect-error there is no such state
  void jobs.search({ state: 'done' })
  // @ts-expect-error there is no such field
  void jobs.bulk.cancel({ status: 'queued' })
  // @ts-expect-error a duration has a unit
  void jobs.search({ minDuration: '10' })
  // @ts-expect-error only a cancel has a reason
  void jobs.bulk.retry({ state: 'failed' }, { reason: 'no' })
  // @ts-expect-error a move has a target
  void jobs.bulk.move(['id'])
  // @ts-expect-error a priority is a number
  void jobs.bulk.move(['id'], { priority: 'high' })
}
