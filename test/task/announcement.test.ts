import { describe, expect, test } from 'vitest'
import { type TaskAnnouncement, withinBounds } from '../../src/task/announcement.js'

function task(schemaLength: number): TaskAnnouncement {
  return {
    ...{ queue: 'default', priority: 0, attempts: 1 },
    about: {
      ...{ timeLimit: { softMs: null, hardMs: null }, pool: null },
      retention: { ages: { succeeded: 1, failed: 1, cancelled: 1, expired: 1 }, count: null },
      backoff: { type: 'fixed', delaysMs: [1000], maxMs: 1000, jitter: 0 },
      limits: null,
      schema: { library: 'zod', jsonSchema: { description: 'x'.repeat(schemaLength) } },
    },
  }
}

describe('what a worker announces is bounded', () => {
  test('a schema of a usual size is told as it is', () => {
    expect(withinBounds({ a: task(1000) })).toEqual({ a: task(1000) })
  })

  test('one that is too large is left out, with a word why, and the task stays', () => {
    const { a, b } = withinBounds({ a: task(20_000), b: task(10) })

    expect(a).toMatchObject({ queue: 'default', about: { pool: null, schema: { library: 'zod' } } })
    expect(a?.about?.schema).toMatchObject({ jsonSchema: null, note: expect.stringContaining('too large') })
    expect(b).toEqual(task(10))
  })

  test('so are those that are too many', () => {
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`task${at}`, task(10_000)]))
    const told = Object.values(withinBounds(many))

    expect(told.filter(({ about }) => about?.schema.jsonSchema)).toHaveLength(13)
    expect(JSON.stringify(told).length).toBeLessThan(200_000)
  })
})
