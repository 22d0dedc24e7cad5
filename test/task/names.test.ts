import { describe, expectTypeOf, test } from 'vitest'
import type { JobHandle } from '../../src/job/job.js'
import type { Celeriac } from '../../src/plugin.js'

// Whoever says nothing in Register may call any name. What an app that does say gets is compiled in
// test/fixtures/apps/consumer.
declare const jobs: Celeriac
const never = (..._: unknown[]) => {}

describe('a call by name, where no app has said its names', () => {
  test('takes any name and any payload', () => {
    never(() => {
      expectTypeOf(jobs.enqueue('reports.build', { month: '2026-10' })).resolves.toEqualTypeOf<
        JobHandle<unknown>
      >()
      void jobs.enqueue('reports.build')
      void jobs.enqueue('reports.build', undefined, { delay: '10s' })
      // @ts-expect-error a name is a text
      void jobs.enqueue(7)
    })
  })
})
